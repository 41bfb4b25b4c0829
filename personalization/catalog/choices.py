"""What a form may offer while somebody types: categories, brands and items of the catalog."""

from django.db import connection
from django.db.models import Q

from personalization.catalog.models import Item

# (value, label, detail): what is stored, what is shown, and what is shown small beside it.
Choice = tuple[str, str, str]

_CATEGORIES = """
    SELECT name FROM (SELECT DISTINCT unnest(categories) AS name FROM catalog_item) AS found
    WHERE strpos(lower(name), lower(%s)) > 0 ORDER BY name LIMIT %s
"""


def categories(words: str, *, limit: int) -> list[Choice]:
    """Categories of any level that hold the words, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_CATEGORIES, [words, limit])
        return [(name, name, "") for (name,) in cursor.fetchall()]


def brands(words: str, *, limit: int) -> list[Choice]:
    found = Item.objects.filter(brand__icontains=words).exclude(brand="")
    names = found.order_by("brand").values_list("brand", flat=True).distinct()[:limit]
    return [(name, name, "") for name in names]


def items(words: str, *, limit: int) -> list[Choice]:
    """Items whose name holds the words or whose id begins with them, by name."""
    found = Item.objects.filter(Q(name__icontains=words) | Q(external_id__istartswith=words))
    rows = found.order_by("name", "pk").values_list("external_id", "name")[:limit]
    return [(external_id, name, external_id) for external_id, name in rows]


def all_brands(*, limit: int = 5_000) -> list[str]:
    names = Item.objects.exclude(brand="").order_by("brand").values_list("brand", flat=True)
    return list(names.distinct()[:limit])
