"""Whether a message was written for having no item to show: whoever asks whether there are any has said what
comes without them. Pure."""

import re

_NAMED = re.compile(r"{%-?\s*recommend\b[^%]*\bas\s+(\w+)")
_TEST = r"{%%-?\s*(?:if|elsif|unless|case)\b[^%%]*\b(?:%s)\b"
# A loop with something for the empty list; tests inside of it have an `else` of their own, and are cut out.
_LOOP = r"{%%-?\s*for\s+\w+\s+in\s+(?:%s)\b(?:(?!{%%-?\s*endfor\b).)*{%%-?\s*else\b"
_INNERMOST_TEST = re.compile(
    r"{%-?\s*(?:if|unless|case)\b(?:(?!{%-?\s*(?:if|unless|case)\b).)*?{%-?\s*end(?:if|unless|case)\b",
    re.DOTALL,
)


def asks_for_items(source: str) -> bool:
    """Of a message's whole text: whether it asks for `items`, or for a list of `{% recommend %}`."""
    names = "|".join({"items", *_NAMED.findall(source)})
    if re.search(_TEST % names, source):
        return True
    while (without := _INNERMOST_TEST.sub("", source)) != source:
        source = without
    return re.search(_LOOP % names, source, re.DOTALL) is not None
