"""What somebody is called as a whole."""

import re

# Chinese, Japanese and Korean writing.
_FAMILY_FIRST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def full_name(first: str, last: str) -> str:
    """As it is written: 宋芳, the family's name first and without a space, where both are in such a writing.

    Empty when both are.
    """
    if _FAMILY_FIRST.match(first) and _FAMILY_FIRST.match(last):
        return last + first
    return f"{first} {last}".strip()
