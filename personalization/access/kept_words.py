"""Sentences that a worker keeps in a column, told in the language of whoever reads them.

Kept is the English message id; its parameters stand as JSON in a second line. Other texts are told as they
are.
"""

import json

from django.utils.translation import gettext


def keep(message: str, **parameters: object) -> str:
    """`message`: an English message id, marked by `gettext_noop`, with %(name)s places."""
    return f"{message}\n{json.dumps(parameters, default=str)}" if parameters else message


def tell(kept: str) -> str:
    message, _end, parameters = kept.partition("\n")
    try:
        return gettext(message) % json.loads(parameters)
    except ValueError:  # none: not of keep(), or without
        return gettext(kept) if kept else ""  # the translation of "" is the catalog's head
