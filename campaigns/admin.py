"""The admin's addresses of a campaign lead to our own pages."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminPasswordWidget

from campaigns.models import ApprovalRule, Campaign, ContentSource, FrequencyCap, QuietHours, TopicRule
from personalization.access.secrets_in_admin import HidesSecrets
from personalization.access.services import actor_name, audit


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    search_fields = ["name"]

    def changelist_view(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        return redirect("campaigns:list")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        return redirect("campaigns:new")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        if not object_id.isdigit():
            return redirect("campaigns:list")
        return redirect("campaigns:edit", campaign_id=int(object_id))

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """A launched campaign is evidence; a draft may go."""
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or not obj.runs.exists())


class Audited(ModelAdmin):
    """Rules that hold for all campaigns: every change is written down."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        name = obj._meta.model_name
        audit(actor_name(request), f"{name}.saved", f"{name}:{obj.pk}", changed=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        name = obj._meta.model_name
        audit(actor_name(request), f"{name}.deleted", f"{name}:{obj.pk}", rule=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


@admin.register(FrequencyCap)
class FrequencyCapAdmin(Audited):
    empty_text = gettext_lazy(
        "A cap says how many messages one customer gets at most in some hours, over all campaigns."
    )
    list_display = ["__str__", "max_messages", "window_hours", "channel", "topic", "is_active"]
    list_filter = ["is_active"]


@admin.register(QuietHours)
class QuietHoursAdmin(Audited):
    empty_text = gettext_lazy("Nobody is written to in quiet hours, by the clock of each customer.")
    list_display = ["__str__", "channel"]


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(Audited):
    """Only for those who may change it: a rule that anybody may lift binds nobody."""

    empty_text = gettext_lazy("A rule says which campaigns a second person must approve before they go out.")
    list_display = ["__str__", "at_least", "channel", "topic", "is_active"]
    list_filter = ["is_active"]


@admin.register(TopicRule)
class TopicRuleAdmin(Audited):
    empty_text = gettext_lazy("A rule lets a topic, such as orders on their way, ignore caps or quiet hours.")
    list_display = ["topic", "ignores_caps", "ignores_quiet_hours"]


class ContentSourceForm(forms.ModelForm):
    """A secret is never shown again; left empty, the one that is there stays."""

    authorization = forms.CharField(
        label=gettext_lazy("Authorization"), required=False, max_length=500, strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "Sent as the Authorization header, for example “Bearer …”; encrypted. Empty: what is there stays."
        ),
    )  # fmt: skip

    def clean_authorization(self) -> str:
        given: str = self.cleaned_data["authorization"]
        if any(ord(c) < 32 or ord(c) > 126 for c in given):
            raise forms.ValidationError(gettext_lazy("A header holds plain ASCII characters in one line."))
        return given or self.initial.get("authorization", "")

    class Meta:
        model = ContentSource
        fields = (
            "name", "url", "authorization", "timeout_seconds", "max_kilobytes", "cache_seconds", "fallback",
            "is_active",
        )  # fmt: skip


@admin.register(ContentSource)
class ContentSourceAdmin(HidesSecrets, Audited):
    """The list of servers: whoever may change it decides where parameters about customers go."""

    empty_text = gettext_lazy(
        "Messages may fetch text from servers that stand on this list, and from no others."
    )
    form = ContentSourceForm
    list_display = ["name", "url", "cache_seconds", "is_active"]
    search_fields = ["name"]
