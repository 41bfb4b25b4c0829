"""Items among what is found from every page."""

from django.utils.translation import gettext_lazy as _

from personalization.access.finding import NamedRows
from personalization.catalog.models import Item


class Items(NamedRows):
    label = _("Items")
    icon = "inventory_2"
    permission = "catalog.view_item"
    model = Item
    url = "admin:catalog_item_change"
    name_fields = ("name", "external_id")

    def note(self, row: Item) -> str:
        return " · ".join([row.external_id, *row.categories[-1:]])
