"""The page of all traits."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from personalization.access.shell import render_page, staff_page
from personalization.customers.declarations import Sensitivity, TraitDeclaration, ValueType
from personalization.customers.discovered import SAMPLE
from personalization.customers.reading import may_see
from personalization.privacy.told import told_words
from personalization.traits.catalog import COMPUTED, DECLARED, DISCOVERED, STANDARD, read_catalog


@require_GET
@staff_page("customers.view_traitdeclaration")
def catalog(request: HttpRequest) -> HttpResponse:
    entries, whole = read_catalog(), may_see(request)
    types, sensitivities = dict(ValueType.choices), dict(Sensitivity.choices)
    numbers = dict(TraitDeclaration.objects.values_list("name", "pk"))
    groups = [
        {
            "origin": origin,
            "title": title,
            "rows": [
                {
                    "entry": entry,
                    "type": types.get(entry.value_type, entry.value_type),
                    "sensitivity": sensitivities.get(entry.sensitivity, ""),
                    "declaration": numbers.get(entry.name),
                    "customers": told_words(entry.customers, whole=whole),
                    "misfits": told_words(entry.misfits, whole=whole),
                }
                for entry in entries
                if entry.origin == origin
            ],
        }
        for origin, title in (
            (DECLARED, _("Declared")), (DISCOVERED, _("Discovered in what came in")),
            (COMPUTED, _("Computed from events")), (STANDARD, _("Standard")),
        )
    ]  # fmt: skip
    context = {"groups": groups, "sample": SAMPLE}
    return render_page(request, "traits/catalog.html", context, title=_("Traits"))
