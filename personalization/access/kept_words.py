"""Sentences that a worker keeps in a column, told in the language of whoever reads them.

Kept is the English message id; its parameters stand as JSON in a second line. Other texts are told as they
are.
"""

import json

from django.utils.translation import gettext

MOST = 300  # characters of a column that keeps one


def keep(message: str, **parameters: object) -> str:
    """`message`: an English message id, marked by `gettext_noop`, with %(name)s places. What would not fit
    into its column is kept in English, cut."""
    if not parameters:
        return message
    kept = f"{message}\n{json.dumps(parameters, default=str)}"
    return kept if len(kept) <= MOST else (message % parameters)[:MOST]


def tell(kept: str) -> str:
    message, _end, parameters = kept.partition("\n")
    try:
        return gettext(message) % json.loads(parameters)
    except ValueError:  # none: not of keep(), or without
        return gettext(kept) if kept else ""  # the translation of "" is the catalog's head
