"""The list of computed traits: formula, coverage, freshness, and why one has no value."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from personalization.access.services import actor_name, audit
from personalization.customers.errors import InvalidTraits
from personalization.customers.reading import may_see
from personalization.privacy.told import told_words
from personalization.traits import declaration_admin, services
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import trait_kinds

__all__ = ["TraitDefinitionAdmin", "declaration_admin"]  # Django looks for registrations in this file alone


class TraitDefinitionForm(forms.ModelForm):
    kind = forms.ChoiceField(label=_("Kind"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = TraitDefinition
        fields = ["name", "kind", "event", "property", "filter", "window_days", "description", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            choices = [(name, kind.label) for name, kind in trait_kinds().items()]
            self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            cleaned["filter"] = cleaned.get("filter") or {}
            try:
                services.check_definition(TraitDefinition(**cleaned))
            except InvalidTraits as error:
                for problem in error.errors:
                    self.add_error(problem["pointer"].strip("/"), problem["detail"])
        return cleaned


@admin.register(TraitDefinition)
class TraitDefinitionAdmin(ModelAdmin):
    empty_text = _(
        "A computed trait is worked out from events, such as orders in 90 days or favorite category."
    )
    form = TraitDefinitionForm
    list_display = ["name", "kind_name", "how", "coverage", "refreshed_at", "is_active"]
    search_fields = ["name", "description"]
    readonly_fields = ["how", "coverage", "evidence"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TraitDefinition]:
        return super().get_queryset(request).annotate(is_whole=Value(may_see(request)))

    @display(description=_("kind"), ordering="kind")
    def kind_name(self, definition: TraitDefinition) -> str:
        kind = trait_kinds().get(definition.kind)
        return str(kind.label) if kind else definition.kind

    @display(description=_("formula"))
    def how(self, definition: TraitDefinition) -> str:
        kind = trait_kinds().get(definition.kind)
        return kind.formula(definition) if kind and definition.name else "–"

    @display(description=_("coverage"))
    def coverage(self, definition: Any) -> str:
        if definition.problem:
            return definition.told_problem()
        if definition.refreshed_at is None:
            return str(_("not computed yet"))
        number = told_words(definition.covered, whole=definition.is_whole)
        return str(_("%(number)s customers") % {"number": number})

    @display(description=_("check on later data"))
    def evidence(self, definition: TraitDefinition) -> SafeString | str:
        checked = definition.state.get("checked")
        if not checked:
            return "–"
        groups = format_html_join("", "<li>{} → {} ({})</li>", checked["groups"])
        return format_html(
            "<p>{}</p><ol>{}</ol>",
            _(
                "Forecast for %(days)s days kept back: %(expected)s purchases expected, %(bought)s happened. "
                "Mean squared error %(brier)s (%(base)s without a model). Forecast, and share that bought "
                "nothing, in ten groups:"
            )
            % {
                "days": checked["horizon_days"], "expected": checked["expected"],
                "bought": f"{checked['bought']:g}", "brier": checked["brier"], "base": checked["brier_base"],
            },
            groups,
        )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: TraitDefinition, form: Any, change: bool) -> None:
        services.save_definition(obj)
        audit(actor_name(request), "trait.saved", f"trait:{obj.name}", fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: TraitDefinition) -> None:
        services.remove_definition(obj)
        audit(actor_name(request), "trait.removed", f"trait:{obj.name}")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TraitDefinition]) -> None:
        for definition in queryset:
            self.delete_model(request, definition)
