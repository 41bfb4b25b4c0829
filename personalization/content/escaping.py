"""Where in the HTML each piece of Liquid stands, and the guard it gets there.

Auto-escaping alone does not stop a `javascript:` address, an unquoted attribute or a CSS url(). So a printed
value in an address is wrapped in `{% guard_url %}`, one in a style in `{% guard_style %}`, and places where
no guard can help (tag names, unquoted attributes, event handlers, scripts) are refused.
"""

import re
from dataclasses import dataclass, field
from html import unescape

from django.utils.translation import gettext as _

from personalization.content.errors import Problem
from personalization.content.links import is_allowed_url
from personalization.content.placeholders import MARK, Token

URL_ATTRIBUTES = {
    "href", "src", "action", "formaction", "background", "cite", "poster", "data", "longdesc", "xlink:href",
    "srcset", "ping", "manifest", "codebase", "usemap", "profile",
}  # fmt: skip
IMAGE_ATTRIBUTES = {"src", "background", "poster"}
FORBIDDEN_ELEMENTS = {
    "script",
    "iframe",
    "object",
    "embed",
    "applet",
    "base",
    "frame",
    "frameset",
    "form",
    "svg",
    "math",
}
PIECE = re.compile(
    # Conditional comments hold HTML that Outlook reads.
    r"<!--\[if[^\]]*\]>(?:<!-->|<!--)?|<!--<!\[endif\]-->|<!\[endif\](?:-->)?"
    r"|(?P<comment><!--.*?-->)"
    r"|<style\b(?P<style_attributes>[^>]*)>(?P<style>.*?)</style\s*>"
    r"|<(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*)(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*)>"
    r"|(?P<odd></?(?=qz8Lq))",
    re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(
    r"(?P<name>[^\s\"'>/=]+)(?:\s*=\s*(?:\"(?P<d>[^\"]*)\"|'(?P<s>[^']*)'|(?P<u>[^\s\"'>]+)))?"
)
BLOCK = re.compile(r"\{%-?\s*(end)?(if|unless|for|case|capture|tablerow|ifchanged|vary|optional|localized)\b")
BRANCH = re.compile(r"\{%-?\s*(?:els|when|or\b|language\b)")


@dataclass
class _Walk:
    tokens: list[Token]
    problems: list[Problem] = field(default_factory=list)

    def text(self, mark: re.Match[str]) -> str:
        return self.tokens[int(mark[1])].text

    def complain(self, where: str, message: str) -> None:
        mark = MARK.search(where)
        line = self.tokens[int(mark[1])].line if mark else None
        self.problems.append(Problem("body", message, line))


def guard(html: str, tokens: list[Token]) -> tuple[str, list[Problem]]:
    """HTML with hidden Liquid → HTML with Liquid put back and guarded, and what cannot be made safe."""
    walk = _Walk(tokens)
    parts, end = [], 0
    for piece in PIECE.finditer(html):
        parts += [_plain(html[end : piece.start()], walk), _piece(piece, walk)]
        end = piece.end()
    parts.append(_plain(html[end:], walk))
    return "".join(parts), walk.problems


def _plain(text: str, walk: _Walk) -> str:
    return MARK.sub(walk.text, text)


def _piece(piece: re.Match[str], walk: _Walk) -> str:
    whole = piece[0]
    if piece["style"] is not None:
        attributes = _plain(piece["style_attributes"], walk)
        return f"<style{attributes}>{_style(piece['style'], walk)}</style>"
    if piece["odd"]:
        walk.complain(
            whole + piece.string[piece.end() : piece.end() + 12], _("The name of a tag cannot be Liquid.")
        )
        return whole
    if piece["name"] is None:
        return _plain(whole, walk)
    name = piece["name"].lower()
    if MARK.search(piece["name"]):
        walk.complain(piece["name"], _("The name of a tag cannot be Liquid."))
    if name in FORBIDDEN_ELEMENTS:
        walk.complain(whole, _("<%(name)s> does not work in mail and is not allowed.") % {"name": name})
    if name == "meta" and re.search(r"http-equiv\s*=\s*[\"']?\s*refresh", whole, re.IGNORECASE):
        walk.complain(whole, _("A message cannot send its reader elsewhere by itself."))
    return f"<{piece['slash']}{piece['name']}{_attributes(piece['attributes'], walk)}>"


def _attributes(text: str, walk: _Walk) -> str:
    parts, end = [], 0
    for attribute in ATTRIBUTE.finditer(text):
        parts += [_plain(text[end : attribute.start()], walk), _attribute(attribute, walk)]
        end = attribute.end()
    parts.append(_plain(text[end:], walk))
    return "".join(parts)


def _attribute(attribute: re.Match[str], walk: _Walk) -> str:
    name = attribute["name"]
    for mark in MARK.finditer(name):
        if walk.tokens[int(mark[1])].is_output:
            walk.complain(mark[0], _('Put the value in quotes: attribute="{{ value }}".'))
    if attribute["u"] is not None and MARK.search(attribute["u"]):
        walk.complain(attribute["u"], _('Put the value in quotes: attribute="{{ value }}".'))
    bare = MARK.sub("", name).lower()
    if bare.startswith("on"):
        walk.complain(attribute[0], _("%(name)s runs a script and is not allowed.") % {"name": bare})
    quote = '"' if attribute["d"] is not None else "'" if attribute["s"] is not None else ""
    value = next((attribute[key] for key in ("d", "s", "u") if attribute[key] is not None), None)
    if value is None:
        return _plain(attribute[0], walk)
    if not _is_balanced(value, walk):
        walk.complain(value, _("A block must begin and end inside of the same attribute."))
        return ""
    if bare in URL_ATTRIBUTES:
        value = _url(bare, value, walk)
    elif bare == "style":
        value = _style(value, walk)
    else:
        value = _plain(value, walk)
    return f"{_plain(name, walk)}={quote}{value}{quote}"


def _is_balanced(value: str, walk: _Walk) -> bool:
    depth = 0
    for mark in MARK.finditer(value):
        token = walk.text(mark)
        found = BLOCK.match(token)
        if found:
            depth += -1 if found[1] else 1
        if depth < 0 or (depth == 0 and BRANCH.match(token)):
            return False
    return depth == 0


def _url(name: str, value: str, walk: _Walk) -> str:
    start = unescape(MARK.split(value, maxsplit=1)[0]).lower()
    if MARK.search(value) is None:
        if not is_allowed_url(unescape(value), image=name in IMAGE_ATTRIBUTES):
            walk.complain(value, _("This address is not allowed: %(url)s") % {"url": unescape(value)[:80]})
        return value
    plain = _plain(value, walk)
    if start.startswith(("https://", "http://", "mailto:", "tel:", "#", "?")) and name != "srcset":
        return plain  # the author has fixed where this leads
    kind = "image" if name in IMAGE_ATTRIBUTES else "link"
    return f"{{% guard_url {kind} %}}{plain}{{% endguard_url %}}"


def _style(value: str, walk: _Walk) -> str:
    def replace(mark: re.Match[str]) -> str:
        token = walk.tokens[int(mark[1])]
        return f"{{% guard_style %}}{token.text}{{% endguard_style %}}" if token.is_output else token.text

    return MARK.sub(replace, value)
