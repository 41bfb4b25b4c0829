"""Rules as programs and pages state them: items by the shop's own ids, where `Rules` holds our numbers."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from personalization.catalog.selectors import ids_by_external, items
from recommender.ranking.rules import MAX_ENTRIES, Rules, RulesError

ITEM_LISTS = ("pinned", "not_items")


def read_rules(raw: object) -> Rules:
    """As `Rules.from_json`. Raises RulesError; each item that does not exist is an error of its own."""
    if not isinstance(raw, Mapping):
        return Rules.from_json(raw)
    if not _is_storable(raw):
        detail = _("The text holds a character that cannot be stored.")
        raise RulesError([{"pointer": "", "detail": detail}])
    lists = {name: raw[name] for name in ITEM_LISTS if name in raw}
    errors = [
        {"pointer": f"/{name}", "detail": _("Give a list of item ids, 1,000 at most.")}
        for name, given in lists.items()
        if not _is_list_of_ids(given)
    ]
    named = {name: given for name, given in lists.items() if _is_list_of_ids(given)}
    known = ids_by_external({one for given in named.values() for one in given})
    errors += [
        {"pointer": f"/{name}/{at}", "detail": no_such_item(one)}
        for name, given in named.items()
        for at, one in enumerate(given)
        if one not in known
    ]
    rest = {key: value for key, value in raw.items() if key not in ITEM_LISTS}
    numbers = {name: [known[one] for one in given if one in known] for name, given in named.items()}
    try:
        rules = Rules.from_json({**rest, **numbers})
    except RulesError as error:
        raise RulesError([*error.errors, *errors]) from None
    if errors:
        raise RulesError(errors)
    return rules


def write_rules(rules: Rules) -> dict[str, Any]:
    """What `read_rules` reads. Items that are gone are left out."""
    raw = rules.as_json()
    wanted = [pk for name in ITEM_LISTS for pk in raw.get(name, ())]
    found = items(wanted) if wanted else {}
    for name in ITEM_LISTS:
        if name in raw:
            raw[name] = [found[pk]["external_id"] for pk in raw[name] if pk in found]
    return raw


def item_names(written: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """By the shop's id, of all items that such rules name."""
    wanted = {one for rules in written for name in ITEM_LISTS for one in rules.get(name, ())}
    found = items(ids_by_external(wanted).values()).values()
    return {item["external_id"]: item["name"] for item in found}


def no_such_item(external_id: str) -> str:
    return _("There is no item “%(id)s”.") % {"id": external_id}


def _is_list_of_ids(given: object) -> bool:
    return (
        isinstance(given, list | tuple)
        and len(given) <= MAX_ENTRIES
        and all(isinstance(one, str) and one and "\0" not in one for one in given)
    )


def _is_storable(raw: object) -> bool:
    """JSON may name half a character (a lone surrogate), which no database takes."""
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
