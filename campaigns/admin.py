"""The admin's addresses of a campaign lead to our own pages."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from campaigns.models import Campaign


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
