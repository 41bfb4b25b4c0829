"""Cells of the CSV files we write, as spreadsheets read them."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> str:
    """The value as text that no spreadsheet takes for a formula; an import drops the leading ' again.

    >>> safe_cell("=1+1"), safe_cell(-3), safe_cell(None)
    ("'=1+1", '-3', '')
    """
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    else:
        text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "'" + text if text.startswith(FORMULA) and not is_number else text
