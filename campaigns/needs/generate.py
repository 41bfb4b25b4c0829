"""`{% generate "greeting" %}`: a text of a phrase set, the same for the same message, not repeated."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.needs._base import Asked, Given, Provider, Scene
from personalization.content.errors import RenderError
from personalization.content.grammar.reading import ReadingError
from personalization.content.needs import Need
from personalization.content.phrase_selectors import phrase_sets
from personalization.content.phrases import generate

LOOK_BACK = 20  # messages with tags


class GenerateProvider(Provider):
    name = "generate"

    def problems(self, need: Need) -> Iterator[str]:
        known = list(phrase_sets().values_list("name", flat=True))
        if need.name not in known:
            names = ", ".join(known) or _("none")
            yield _("there is no such phrase set; there are: %(names)s") % {"names": names}

    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        sets = [_frozen(scene, one) for one in asked]
        remembering = {
            one.customer_id for one, frozen in zip(asked, sets, strict=True) if frozen and frozen["memory"]
        }
        read = read_before(remembering)
        found: dict[tuple[int, str], Given] = {}
        said: dict[int, dict[str, int]] = defaultdict(dict)
        for one, frozen in zip(asked, sets, strict=True):
            if frozen is None:
                found[one.key] = Given(
                    RenderError(f"generate “{one.need.name}”: there is no such phrase set")
                )
                continue
            before = read.get((one.customer_id, one.need.name), [])[: frozen["memory"]]
            recent = {key: age for age, keys in reversed(list(enumerate(before, start=1))) for key in keys}
            # Least of all what this very message says already.
            recent |= said[one.delivery_id]
            found[one.key] = given = _given(one, frozen, scene, recent)
            if given.record:
                said[one.delivery_id] |= dict.fromkeys(given.record["phrases"], 0)
        return found


def _given(one: Asked, frozen: Mapping[str, Any], scene: Scene, recent: Mapping[str, int]) -> Given:
    seed = f"{scene.run_id}:{one.delivery_id or one.customer_id}:{one.need.key}"
    try:
        made = generate(frozen, {**one.arguments, **one.values}, seed=seed, recent=recent)
    except ReadingError as error:
        return Given(RenderError(f"generate “{one.need.name}”: {error}"))
    if made.drawn is None:
        return Given("")
    record = {
        "set": one.need.name, "version": frozen["version"], "language": made.language,
        "phrases": made.drawn.keys,
    }  # fmt: skip
    return Given(made.text, record)


def _frozen(scene: Scene, one: Asked) -> Mapping[str, Any] | None:
    content = scene.content.get("variants", {}).get(one.variant, scene.content)
    found: Mapping[str, Any] | None = (content.get("phrases") or {}).get(one.need.name)
    return found


def read_before(customers: Iterable[int]) -> dict[tuple[int, str], list[list[str]]]:
    """By customer and phrase set, the phrases of each earlier message, newest first, in one query. A message
    whose arrival is unknown counts as read."""
    wanted = list(customers)
    found: dict[tuple[int, str], list[list[str]]] = defaultdict(list)
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(_READ_BEFORE, [wanted, LOOK_BACK])
            for customer, needs in cursor.fetchall():
                phrases: dict[str, list[str]] = defaultdict(list)
                for record in json.loads(needs):
                    phrases[record["set"]] += record["phrases"]
                for name, keys in phrases.items():
                    found[customer, name].append(keys)
    return found


_READ_BEFORE = """
    SELECT asked.customer_id, message.said
    FROM unnest(%s::bigint[]) AS asked(customer_id)
    CROSS JOIN LATERAL (
        SELECT jsonb_path_query_array(inputs, '$.needs.* ? (exists(@.phrases))') AS said,
               coalesce(d.sent_at, to_timestamp((d.inputs->>'at')::bigint)) AS at, d.id
        FROM campaigns_delivery AS d
        WHERE d.customer_id = asked.customer_id AND d.status IN ('sent', 'unknown') AND NOT d.is_test
          AND d.inputs @? '$.needs.* ? (exists(@.phrases))'
        ORDER BY at DESC NULLS LAST, d.id DESC
        LIMIT %s
    ) AS message
    ORDER BY asked.customer_id, message.at DESC NULLS LAST, message.id DESC
"""
