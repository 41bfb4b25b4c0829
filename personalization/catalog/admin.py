"""The catalog in the admin shell."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from personalization.access.services import actor_name, audit
from personalization.catalog.models import Item


@admin.register(Item)
class ItemAdmin(ModelAdmin):
    empty_text = _(
        "Items are what is recommended. Import a file, connect a source, or add the first one here."
    )
    list_display = ["picture", "name", "external_id", "category", "brand", "cost", "stock", "away"]
    list_display_links = ["name"]
    list_filter = ["is_hidden"]
    search_fields = ["name", "external_id", "brand"]
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ["large_picture", "created_at", "updated_at"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    @display(description=_("picture"))
    def picture(self, item: Item) -> str:
        return _image(item, pixels=40)

    @display(description=_("picture"))
    def large_picture(self, item: Item) -> str:
        return _image(item, pixels=160)

    @display(description=_("category"))
    def category(self, item: Item) -> str:
        return " › ".join(item.categories) or "–"

    @display(description=_("price"), ordering="price")
    def cost(self, item: Item) -> str:
        return "–" if item.price is None else f"{item.price} {item.currency}".strip()

    @display(description=_("hidden"), ordering="is_hidden")
    def away(self, item: Item) -> str:
        """A word where it is hidden: a red cross at each that is not looks like a fault."""
        return gettext("hidden") if item.is_hidden else "–"

    def has_delete_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        # What was bought or recommended stays nameable; an item that is no longer sold is hidden.
        return False

    def save_model(self, request: HttpRequest, obj: Item, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = "item.changed" if change else "item.added"
        audit(actor_name(request), action, f"item:{obj.pk}", fields=sorted(form.changed_data))


def _image(item: Item, *, pixels: int) -> str:
    if not item.image_url.startswith(("/", "https://", "http://")):
        return "–"
    return format_html(
        '<img src="{}" alt="" width="{}" height="{}" loading="lazy">', item.image_url, pixels, pixels
    )
