"""Web addresses within plain text. Pure."""

import re
from collections.abc import Callable

# Ideographs end an address unless they follow a slash or "=", where they can only belong to it.
_CJK = "\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PLAIN = rf"[^\s<>\"\x00-\x1f\x7f\ud800-\udfff{_CJK}]"
ADDRESS = re.compile(rf"https?://{_PLAIN}+(?:(?<=[/=])[{_IDEOGRAPHS}]+{_PLAIN}*)*")
CLOSING = {")": "(", "]": "[", "}": "{"}


def replace_addresses(text: str, replace: Callable[[str], str]) -> str:
    """The text with every web address in it replaced; what ends the sentence is no part of an address."""

    def found(match: re.Match[str]) -> str:
        url = _without_end(match[0])
        return replace(url) + match[0][len(url) :] if _has_host(url) else match[0]

    return ADDRESS.sub(found, text)


def _without_end(url: str) -> str:
    while url[-1] in ".,;:!?'*…’”»" or url.count(url[-1]) > url.count(CLOSING.get(url[-1], url[-1])):
        url = url[:-1]
    return url


def _has_host(url: str) -> bool:
    """Whether there is more than the beginning of a name whose rest stands in other letters."""
    host = re.split(r"[/?#:]", url.partition("://")[2])[0]
    return "." in host.strip(".") or host == "localhost"
