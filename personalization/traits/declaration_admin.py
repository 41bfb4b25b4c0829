"""The form in which a trait is declared; discovered ones come with what their values suggest."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from personalization.access.services import actor_name, audit
from personalization.customers.declarations import TraitDeclaration
from personalization.customers.errors import InvalidTraits
from personalization.traits import declarations, tasks
from personalization.traits.catalog import suggestion_for


class TraitDeclarationForm(forms.ModelForm):
    class Meta:
        model = TraitDeclaration
        fields = [
            "name", "value_type", "allowed", "minimum", "maximum", "on_bad_value", "description", "source",
            "sensitivity", "is_encrypted",
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            cleaned["allowed"] = cleaned.get("allowed") or []
            stated = TraitDeclaration(**cleaned)
            try:
                declarations.check_declaration(stated)
                cleaned["allowed"] = stated.allowed
            except InvalidTraits as error:
                for problem in error.errors:
                    self.add_error(problem["pointer"].strip("/"), problem["detail"])
        return cleaned


@admin.register(TraitDeclaration)
class TraitDeclarationAdmin(ModelAdmin):
    empty_text = _(
        "A declared trait has a type and rules that hold on every way in. What is not declared is discovered."
    )
    form = TraitDeclarationForm
    list_display = ["name", "value_type", "source", "sensitivity", "is_encrypted", "on_bad_value"]
    list_filter = ["sensitivity", "is_encrypted"]
    search_fields = ["name", "description"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: TraitDeclaration | None = None
    ) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return initial | suggestion_for(initial["name"]) if initial.get("name") else initial

    def save_model(self, request: HttpRequest, obj: TraitDeclaration, form: Any, change: bool) -> None:
        declarations.save_declaration(obj)
        tasks.move_soon()
        audit(actor_name(request), "trait.declared", f"trait:{obj.name}", fields=sorted(form.changed_data))

    def response_add(
        self, request: HttpRequest, obj: TraitDeclaration, post_url_continue: str | None = None
    ) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)
        return redirect("traits:catalog")

    def response_change(self, request: HttpRequest, obj: TraitDeclaration) -> HttpResponse:
        super().response_change(request, obj)
        return redirect("traits:catalog")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except InvalidTraits as error:
            messages.error(request, error.detail)
            return redirect("admin:customers_traitdeclaration_change", object_id)

    def delete_model(self, request: HttpRequest, obj: TraitDeclaration) -> None:
        declarations.remove_declaration(obj)
        audit(actor_name(request), "trait.undeclared", f"trait:{obj.name}")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TraitDeclaration]) -> None:
        for declaration in queryset:
            try:
                self.delete_model(request, declaration)
            except InvalidTraits as error:
                messages.error(request, f"{declaration.name}: {error.detail}")
