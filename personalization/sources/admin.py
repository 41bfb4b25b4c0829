"""The list of sources, the form of one, and what its readings brought."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminPasswordWidget

from personalization.access.secrets_in_admin import HidesSecrets
from personalization.access.services import actor_name, audit
from personalization.importing.reading import UnreadableFile
from personalization.sources import tasks
from personalization.sources.checking import check_source
from personalization.sources.errors import InvalidOptions
from personalization.sources.labels import say_fault
from personalization.sources.models import Source, SourceRun


class SourceForm(forms.ModelForm):
    address = forms.CharField(
        label=_("Address"), required=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=_("https://… of a CSV, JSON Lines or Parquet file, or postgresql://, mysql://, sqlite:///. "
                    "Kept encrypted and never shown again; empty leaves it as it is."),
    )  # fmt: skip

    class Meta:
        model = Source
        fields = [
            "name",
            "kind",
            "way",
            "address",
            "query",
            "cursor_column",
            "options",
            "every_minutes",
            "is_active",
        ]

    def clean_address(self) -> str:
        return self.cleaned_data["address"] or self.instance.address

    def clean_options(self) -> dict[str, Any]:
        return self.cleaned_data["options"] or {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_source(cleaned)
            except (InvalidOptions, UnreadableFile) as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned


class RunInline(TabularInline):
    model = SourceRun
    fields = readonly_fields = [
        "started_at",
        "status",
        "read",
        "new",
        "changed",
        "rejected",
        "refused",
        "error",
    ]
    extra = 0
    max_num = 0
    can_delete = False
    per_page = 20

    @admin.display(description=_("rejected rows"))
    def refused(self, run: SourceRun) -> str:
        rows = ((one["line"], say_fault(run.source.kind, one["reason"])) for one in run.rejects)
        return format_html_join("", "<div>{}: {}</div>", rows) or "–"


@admin.register(Source)
class SourceAdmin(HidesSecrets, ModelAdmin):
    empty_text = _(
        "A source fetches customers, items or events from an address or a database, on a schedule."
    )
    form = SourceForm
    inlines = [RunInline]
    list_display = ["name", "kind", "way", "every_minutes", "is_active", "next_at"]
    actions = ["read_now"]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        if {"address", "query", "cursor_column"} & set(form.changed_data):
            obj.cursor = {}
        super().save_model(request, obj, form, change)
        action = "source.changed" if change else "source.added"
        audit(actor_name(request), action, f"source:{obj.pk}", fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        audit(actor_name(request), "source.deleted", f"source:{obj.pk}")
        super().delete_model(request, obj)

    @admin.action(description=_("Read the chosen sources now"), permissions=["change"])
    def read_now(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            audit(actor_name(request), "source.read", f"source:{source.pk}")
            tasks.pull_source.delay(source.pk)
        messages.success(request, _("They are read now; what came is shown with each."))
