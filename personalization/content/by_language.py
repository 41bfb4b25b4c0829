"""Texts by language, as blocks and phrase sets keep them; the one without any is for everybody else."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from personalization.content.localized import LANGUAGE, normal

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
MAX_TEXT = 100_000  # characters
MAX_LANGUAGES = 40
MAX_REMARK = 200  # characters of a description or of what is new


def clean_texts(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Languages in one spelling, lines with one ending; empty texts of a language are left out."""
    return {
        normal(language): text.replace("\r\n", "\n") if isinstance(text, str) else text
        for language, text in texts.items()
        if language == "" or text
    }


def check_texts(
    name: str, texts: Mapping[str, Any], *, description: str | None, note: str,
    mistakes: Callable[[str], Iterable[str]],
) -> Iterator[dict[str, str]]:  # fmt: skip
    """A problem (pointer and detail) for all that cannot be saved; `mistakes` tells those of one text."""
    if not NAME.fullmatch(name):
        yield _at("/name", _("A name has small letters, digits, - and _, 50 at most."))
    for pointer, remark in (("/note", note), ("/description", description or "")):
        if len(remark) > MAX_REMARK:
            yield _at(pointer, _("This is too long."))
    if not str(texts.get("", "")).strip():
        yield _at("/texts/", _("Write the text for everybody without a language of their own."))
    if len(texts) > MAX_LANGUAGES:
        yield _at("/texts", _("That are too many languages."))
        return
    for language, text in texts.items():
        where = f"/texts/{language}"
        if language and not LANGUAGE.fullmatch(language):
            yield _at(where, _("Write a language like zh or pt-br."))
        elif not isinstance(text, str) or len(text) > MAX_TEXT or "\0" in text:
            yield _at(where, _("This is too long, or no text."))
        elif language or text.strip():
            yield from (_at(where, sentence) for sentence in mistakes(text))


def _at(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "detail": detail}
