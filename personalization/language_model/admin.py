"""Set-up, voice and log of the language model."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from personalization.access.audit_words import say_actor
from personalization.access.secrets_in_admin import HidesSecrets
from personalization.access.services import actor_name, audit
from personalization.language_model import budget
from personalization.language_model.models import ONLY, BrandVoice, Call, Endpoint


class OnlyOne(ModelAdmin):
    """A table with one row: the list leads to it, or to its first form. Every change is written down."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        options = self.model._meta
        place = f"admin:{options.app_label}_{options.model_name}"
        if self.model._default_manager.exists():
            return redirect(reverse(f"{place}_change", args=[ONLY]))
        if self.has_add_permission(request):
            return redirect(reverse(f"{place}_add"))
        return super().changelist_view(request, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **more: Any) -> HttpResponse:
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **more)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        name = obj._meta.model_name
        audit(actor_name(request), f"{name}.saved", name, changed=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        audit(actor_name(request), f"{obj._meta.model_name}.deleted", str(obj._meta.model_name))
        super().delete_model(request, obj)


class EndpointForm(forms.ModelForm):
    """The key is never shown again. It stays with its address: another address gets another key."""

    key = forms.CharField(
        label=_("Secret key"), required=False, max_length=500, strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Kept encrypted and never shown again; empty leaves it as it is."),
    )  # fmt: skip

    def clean_key(self) -> str:
        given: str = self.cleaned_data["key"]
        if any(ord(c) < 33 or ord(c) > 126 for c in given):
            raise forms.ValidationError(_("A key holds plain ASCII characters without spaces."))
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("key"):
            before = self.initial.get("key", "")
            if before and self.initial.get("url") != cleaned.get("url"):
                self.add_error(
                    "key", _("The address is another one: give its key, so that none goes astray.")
                )
            cleaned["key"] = before
        return cleaned

    class Meta:
        model = Endpoint
        fields = (
            "is_active", "url", "model", "key", "token_limit", "price_in", "price_out", "monthly_cap",
            "timeout_seconds",
        )  # fmt: skip


@admin.register(Endpoint)
class EndpointAdmin(HidesSecrets, OnlyOne):
    """Who may change this decides where questions go."""

    form = EndpointForm
    list_display = ["model", "url", "is_active"]
    readonly_fields = ["spent_this_month"]

    @admin.display(description=_("spent this month, with what is under way"))
    def spent_this_month(self, _obj: Endpoint) -> str:
        return f"{budget.spent():.4f}"


@admin.register(BrandVoice)
class BrandVoiceAdmin(OnlyOne):
    fields = ("voice", "banned_words")
    list_display = ["__str__", "updated_at"]


@admin.register(Call)
class CallAdmin(ModelAdmin):
    """The log; nobody changes it."""

    empty_text = _("Each question to the language model, its answer and its cost will stand here.")
    list_display = ["asked_at", "purpose", "by", "status", "model", "cost", "is_cached"]
    list_filter = ["status", "purpose", "is_cached"]
    date_hierarchy = "asked_at"
    exclude = ["result"]

    @display(description=_("actor"), ordering="actor")
    def by(self, call: Call) -> str:
        return say_actor(call.actor)

    def get_readonly_fields(self, request: HttpRequest, obj: Call | None = None) -> list[str]:
        return ["answer" if field.name == "result" else field.name for field in Call._meta.fields]

    @display(description=_("result"))
    def answer(self, call: Call) -> str:
        return "–" if call.result is None else json.dumps(call.result, ensure_ascii=False, indent=2)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Call | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Call | None = None) -> bool:
        return False
