"""The list of customers, and the form for their traits; a row opens the profile page."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from personalization.access.models import User
from personalization.access.posted_search import PostedSearch
from personalization.access.services import actor_name, audit
from personalization.customers import saved_views
from personalization.customers.declared import check_traits
from personalization.customers.errors import InvalidTraits
from personalization.customers.estimates import AboutPaginator, common_values
from personalization.customers.models import Customer, IdentityRule, SavedView
from personalization.customers.reading import may_see, show, show_traits
from personalization.customers.recent import recent
from personalization.customers.search import matching
from personalization.customers.services import write_traits
from personalization.customers.traits import COLUMNS, SplitTraits, check_column, clean_json


def trait_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What the form changed, None for what it removed; a mask that was left alone is no change."""
    changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return changed | {name: None for name in before if name not in after}


class CustomerForm(forms.ModelForm):
    class Meta:
        model = Customer
        fields = ["external_id", *COLUMNS, "traits"]

    def clean_external_id(self) -> str | None:
        return self.cleaned_data["external_id"] or None

    def clean_traits(self) -> dict[str, Any]:
        traits = self.cleaned_data["traits"] or {}
        if not isinstance(traits, dict):
            raise forms.ValidationError(_("Traits are a JSON object."))
        try:
            traits = clean_json(traits)
            check_traits(trait_changes(self.initial.get("traits") or {}, traits))
        except InvalidTraits as error:
            raise forms.ValidationError(str(error)) from error
        return traits

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for column in COLUMNS:
            if cleaned.get(column):
                try:
                    cleaned[column] = check_column(column, cleaned[column])
                except InvalidTraits as error:
                    self.add_error(column, str(error))
        return cleaned


class KnownValues(AllValuesFieldListFilter):
    """The values that customers have, without reading all of them for each look at the list."""

    def __init__(self, field: Any, *rest: Any, **more: Any) -> None:
        super().__init__(field, *rest, **more)
        rows: Any = self.lookup_choices
        known: Any = recent(f"customers:values:{field.name}", lambda: list(rows))
        if known is None:
            known = common_values(field)
        self.lookup_choices = known


@admin.register(Customer)
class CustomerAdmin(PostedSearch, ModelAdmin):
    empty_text = _("Customers come by a file, by events of your site or app, or over the API.")
    form = CustomerForm
    list_display = ["profile_link", *saved_views.USUAL]
    list_display_links = None
    list_filter = [("language", KnownValues), ("country", KnownValues)]
    search_fields = ["first_name", "last_name", "email", "external_id"]
    ordering = ["-pk"]  # from the end of the key: by a column without index all would be read
    list_per_page = 50
    paginator = AboutPaginator
    show_full_result_count = False
    list_before_template = "customers/saved_views.html"
    suggestions_url = reverse_lazy("customers:suggestions")
    search_help_text = _("Beginning of a name, e-mail, phone or id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request).filter(merged_into=None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CustomerList

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return ["profile_link", *(_column(name) for name in self._columns(request))]

    def _view(self, request: HttpRequest) -> SavedView | None:
        asked = request.GET.get("view", "")
        own = saved_views.views_of(cast(User, request.user))
        return own.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None

    def _columns(self, request: HttpRequest) -> Sequence[str]:
        view = self._view(request)
        return view.columns if view else saved_views.USUAL

    def search(
        self, request: HttpRequest, queryset: QuerySet[Customer], words: str
    ) -> tuple[QuerySet[Customer], bool]:
        """By the beginnings that indexes know; a search within words would read every customer."""
        if may_see(request):
            queryset = queryset.filter(pk__in=matching(words).values("pk"))
        return queryset, False

    @display(description=_("name"), ordering="last_name")
    def profile_link(self, customer: Customer) -> str:
        return format_html('<a href="{}">{}</a>', reverse("customers:profile", args=[customer.pk]), customer)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        views = saved_views.views_of(cast(User, request.user))
        traits = saved_views.known_traits() if may_see(request) else []
        more = {
            "saved_views": [(view, saved_views.address_of(view)) for view in views],
            "current_view": self._view(request), "current_columns": self._columns(request),
            "column_choices": [
                *((name, label_for_field(name, Customer)) for name in saved_views.COLUMN_NAMES),
                *((f"{saved_views.TRAIT}{name}", name) for name in traits),
            ],
        }  # fmt: skip
        response = super().changelist_view(request, {**more, **(extra_context or {})})
        if found := getattr(response, "context_data", {}).get("cl"):
            found.result_list = show(request, found.result_list, page="customer list")
        return response

    # Who sees masks can neither search nor sort nor filter, for the rows found would be a count of few
    # people, and opens no form of what is behind the masks.
    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return super().get_search_fields(request) if may_see(request) else ()

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        return super().get_sortable_by(request) if may_see(request) else ()

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return super().get_list_filter(request) if may_see(request) else ()

    def has_view_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return super().has_view_permission(request, obj) and (obj is None or may_see(request))

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_see(request))

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        # Ledgers and experiments count on their people; erasure is a process of its own.
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Customers come in by import, API or events, with an id of the shop.
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Customer | None:
        """With the traits as this member of staff may see them; `save_model` writes only what was changed."""
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            show_traits(request, {found.pk: found.traits})
        return found

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        changes = trait_changes(form.initial.get("traits") or {}, obj.traits)
        obj.traits = Customer.objects.values_list("traits", flat=True).get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        if changes:
            write_traits([(obj.pk, SplitTraits({}, changes))])
        audit(actor_name(request), "customer.changed", f"customer:{obj.pk}", fields=sorted(form.changed_data))

    def response_change(self, request: HttpRequest, obj: Customer) -> HttpResponse:
        super().response_change(request, obj)
        return redirect("customers:profile", obj.pk)


class CustomerList(ChangeList):
    """Keeps the chosen view in every link of the list."""

    def get_filters_params(self, params: Any = None) -> Any:
        found = super().get_filters_params(params)
        found.pop("view", None)
        return found

    def get_filters(self, request: HttpRequest) -> Any:
        if not may_see(request):
            self.filter_params = {}  # of a view that others share
        return super().get_filters(request)


def _column(name: str) -> Any:
    """Of a view: a field, or what shows one trait."""
    if not name.startswith(saved_views.TRAIT):
        return name
    trait = name.removeprefix(saved_views.TRAIT)

    @display(description=trait)
    def show_trait(customer: Customer) -> str:
        value = customer.traits.get(trait)
        return "—" if value is None else str(value)

    return show_trait


@admin.register(IdentityRule)
class IdentityRuleAdmin(ModelAdmin):
    """Which ids may join two profiles; one row for each kind, none to add or remove."""

    list_display = ["kind", "joins", "most_customers", "most_joins", "moves"]
    readonly_fields = ["kind"]
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: IdentityRule | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: IdentityRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        settings = {name: getattr(obj, name) for name in form.changed_data}
        audit(actor_name(request), "identity_rule.changed", f"identity_rule:{obj.pk}", **settings)
