"""The texts of a message in further languages, as they are written and kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns import channels
from personalization.access.known_fields import no_such_field
from personalization.content.by_language import MAX_LANGUAGES
from personalization.content.localized import LANGUAGE, normal

MOST = {"subject": 500, "preheader": 300, "body": 500_000}  # characters


def clean_translations(translations: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Languages in one spelling; parts and languages in which nothing is written are left out."""
    found = {}
    for language, text in translations.items():
        parts: dict[str, Any] = {part: text[part] for part in channels.PARTS if text.get(part, "").strip()}
        if fields := {name: value for name, value in (text.get("fields") or {}).items() if value.strip()}:
            parts["fields"] = fields
        if parts:
            found[normal(language)] = parts
    return found


def check_translations(translations: object, *, channel: str, where: str) -> Iterator[tuple[str, str]]:
    """Pointer and sentence for all that cannot be saved."""
    if not isinstance(translations, Mapping):
        yield where, _("This must be a JSON object.")
        return
    if len(translations) > MAX_LANGUAGES:
        yield where, _("That are too many languages.")
    seen: set[str] = set()
    for language, text in translations.items():
        at, code = f"{where}/{language}", normal(language)
        if not LANGUAGE.fullmatch(code):
            yield at, _("Write a language like zh or pt-br.")
        elif code in seen:
            yield at, _("This language has a text already.")
        seen.add(code)
        if not isinstance(text, Mapping) or not isinstance(text.get("fields") or {}, Mapping):
            yield at, _("This must be a JSON object.")
        else:
            yield from _check_text(text, most=_longest(channel), where=at)


def _longest(channel: str) -> dict[str, int]:
    """Characters at most of each part that the channel has, fields as `fields/name`."""
    own = channels.get(channel).fields if channel in channels.names() else ()
    return MOST | {f"fields/{f.name}": f.max_length for f in own if f.name not in MOST}


def _check_text(text: Mapping[str, Any], *, most: Mapping[str, int], where: str) -> Iterator[tuple[str, str]]:
    fields = {f"fields/{name}": value for name, value in (text.get("fields") or {}).items()}
    for name, value in ({key: value for key, value in text.items() if key != "fields"} | fields).items():
        if name not in most:
            yield f"{where}/{name}", no_such_field(name, list(most))
        elif not isinstance(value, str) or len(value) > most[name] or "\0" in value:
            yield f"{where}/{name}", _("This is too long, or no text.")
