"""Writes of the catalog."""

from collections.abc import Iterable

from django.db import connection


def ensure_items(external_ids: Iterable[str]) -> int:
    """Creates items that are known by nothing but their id (which is also their name); answers how many.

    Sorted, so that concurrent imports wait for one another instead of deadlocking.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_item (external_id, name, description, categories, brand, currency,"
            " is_hidden, url, image_url, translations, attributes, created_at, updated_at)"
            " SELECT value, value, '', '{}', '', '', false, '', '', '{}', '{}', now(), now()"
            " FROM unnest(%s::text[]) AS value ON CONFLICT (external_id) DO NOTHING",
            [sorted(set(external_ids))],
        )
        return cursor.rowcount
