"""Items from files: known by `external_id`; unmapped columns become attributes.

An empty cell says nothing and changes nothing.
"""

from typing import Any

import msgspec
import pyarrow as pa
from django.utils.translation import gettext as _

from personalization.catalog.models import Item
from personalization.importing import values as cells
from personalization.importing.arrow import pc
from personalization.importing.columns import as_array
from personalization.importing.copying import copy_text, upsert
from personalization.importing.pipeline import Importer, Written
from personalization.importing.reading import plain
from personalization.importing.values import RowError

LIMITS = {"name": 300, "description": 100_000, "brand": 100, "currency": 3, "url": 500, "image_url": 500}
TYPES = {
    "external_id": "text", "name": "text", "description": "text", "categories": "text[]", "brand": "text",
    "price": "numeric(14, 2)", "currency": "text", "stock": "integer", "is_hidden": "boolean", "url": "text",
    "image_url": "text", "attributes": "jsonb", "translations": "jsonb",
}  # fmt: skip
SCHEMA = pa.schema([(name, pa.string()) for name in TYPES])
UPDATE = {
    # A nameless item is called by its id; that must not replace a name it already has.
    "name": "coalesce(nullif(excluded.name, excluded.external_id), t.name)",
    **{name: f"coalesce(nullif(excluded.{name}, ''), t.{name})" for name in LIMITS if name != "name"},
    "categories": "CASE WHEN excluded.categories = '{}' THEN t.categories ELSE excluded.categories END",
    "price": "coalesce(excluded.price, t.price)",
    "stock": "coalesce(excluded.stock, t.stock)",
    "attributes": "t.attributes || excluded.attributes",
    "translations": "t.translations || excluded.translations",
}


class ItemImporter(Importer):
    name = "items"
    fields = {
        "external_id": (
            "item_id", "product_id", "sku", "id", "artikel id", "artikelnr", "artikelnummer", "商品编号",
        ),
        "name": (
            "title", "product name", "product title", "item name", "product", "bezeichnung", "artikelname",
            "artikel", "produkt", "titre", "produit", "名称", "商品名称", "商品",
        ),
        "description": ("text",),
        "categories": ("category", "product category", "warengruppe", "kategorie", "类别", "分类"),
        "brand": ("manufacturer",),
        "price": ("unit price", "preis", "prix", "价格"),
        "currency": (),
        "stock": ("quantity in stock", "inventory"),
        "is_hidden": ("hidden",),
        "url": ("link", "product url"),
        "image_url": ("image", "picture", "image link", "bild", "bild url", "图片"),
        "translations": (),
    }  # fmt: skip
    required = ("external_id",)
    schema = SCHEMA

    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = {"external_id": cells.text(values["external_id"], name="external_id")}
        for name, limit in LIMITS.items():
            record[name] = cells.text(values.get(name), limit=limit, name=name)
        record["name"] = record["name"] or record["external_id"]
        record["currency"] = record["currency"].upper()
        record["price"] = cells.money(values.get("price"), name="price")
        record["stock"] = _whole(values.get("stock"))
        record["categories"] = cells.names(values.get("categories"))
        hidden = values.get("is_hidden")
        record["is_hidden"] = None if hidden in (None, "") else cells.truth(hidden, name="is_hidden")
        record["translations"] = _object(values.get("translations"))
        record["attributes"] = {name: plain(value) for name, value in others.items() if value is not None}
        return {name: _text(record[name]) for name in TYPES}

    def write(self, table: pa.Table) -> Written:
        last = {external_id: row for row, external_id in enumerate(table["external_id"].to_pylist())}
        if len(last) < table.num_rows:  # the last line of an item counts
            table = table.take(pa.array(sorted(last.values())))
        is_silent = pc.is_null(table["is_hidden"])
        told, silent = table.filter(pc.invert(is_silent)), table.filter(is_silent)
        # The column takes no null, so what is not said of a known item cannot be told by the row alone.
        written = [_upsert(told, is_hidden="excluded.is_hidden"), _upsert(silent, is_hidden="t.is_hidden")]
        return Written(new=sum(one.new for one in written), changed=sum(one.changed for one in written))


def _upsert(table: pa.Table, *, is_hidden: str) -> Written:
    if not table.num_rows:
        return Written()
    columns = {name: as_array(table[name]) for name in TYPES}
    columns["is_hidden"] = pc.fill_null(columns["is_hidden"], "false")
    return upsert(
        table=Item._meta.db_table,
        key="external_id",
        types=TYPES,
        text=copy_text(list(columns.values())),
        update=UPDATE | {"is_hidden": is_hidden},
        constants={"created_at": "now()", "updated_at": "now()"},
    )


def _text(value: Any) -> str | None:
    """As PostgreSQL reads the value of a column."""
    if isinstance(value, dict):
        return _json(value)
    if isinstance(value, list):
        quoted = (name.replace("\\", "\\\\").replace('"', '\\"') for name in value)
        return "{" + ",".join(f'"{name}"' for name in quoted) + "}"
    return value if value is None or isinstance(value, str) else str(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode().replace("\\u0000", "")


def _not_whole(name: str) -> RowError:
    return RowError(_("%(name)s: not a whole number") % {"name": name})


def _whole(value: Any) -> int | None:
    try:
        number = None if value in (None, "") else int(float(str(value)))
    except (ValueError, OverflowError):
        raise _not_whole("stock") from None
    if number is not None and not -(2**31) <= number < 2**31:
        raise _not_whole("stock")
    return number


def _object(value: Any) -> dict[str, Any]:
    if not value:
        return {}
    try:
        found = msgspec.json.decode(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict):
        raise RowError(_("%(name)s: not a JSON object") % {"name": "translations"})
    return found
