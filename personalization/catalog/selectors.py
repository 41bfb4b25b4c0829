"""Reads of the catalog."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import F, Q

from personalization.catalog.models import Item
from personalization.importing.passing import these

ITEM_FIELDS = (
    "id", "external_id", "name", "description", "price", "currency", "categories", "brand", "url",
    "image_url", "translations",
)  # fmt: skip


def items(item_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Plain dictionaries by item id, as templates see them. Unknown ids are absent; `price` may be None,
    and so may `preview_url`, the GIF of a video.
    """
    rows = Item.objects.filter(pk__in=these(item_ids)).values(*ITEM_FIELDS, preview_url=F("look__preview"))
    return {row["id"]: dict(row) for row in rows}


def names(item_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The shop's own id and the name, by item id. Unknown ids are absent."""
    rows = Item.objects.filter(pk__in=list(item_ids)).values_list("pk", "external_id", "name")
    return {pk: (external_id, name) for pk, external_id, name in rows}


def localized(item: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A copy of an item dictionary with its texts in `language`, where they were translated.

    zh-Hans-CN falls back to zh-Hans and zh; without any translation the original text stays.
    """
    result = dict(item)
    translations = result.pop("translations", None) or {}
    by_tag = {str(tag).lower().replace("_", "-"): texts for tag, texts in translations.items()}
    tag = language.lower().replace("_", "-")
    while tag:
        texts = by_tag.get(tag)
        if isinstance(texts, Mapping):
            result.update(
                {key: text for key, text in texts.items() if text and key in ("name", "description")}
            )
            break
        tag = tag.rpartition("-")[0]
    return result


def recommendable_ids() -> list[int]:
    """Items that may be recommended: not hidden, and in stock where stock is tracked. Ascending."""
    available = Item.objects.filter(Q(stock=None) | Q(stock__gt=0), is_hidden=False)
    return list(available.order_by("pk").values_list("pk", flat=True))


def ids_by_external(external_ids: Iterable[str]) -> dict[str, int]:
    """Item ids by the shop's own ids, of those that exist."""
    wanted = list(external_ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:  # one parameter, however many ids
        cursor.execute("SELECT external_id, id FROM catalog_item WHERE external_id = ANY(%s)", [wanted])
        return dict(cursor.fetchall())
