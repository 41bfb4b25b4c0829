"""A message as those mail programs show it in the dark that turn colors around (Outlook, Gmail on iPhone):
the harsher case. A page that brings its own dark colors (prefers-color-scheme) is left to them."""

import re

OWN_COLORS = re.compile(r"prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
TURNED = (
    "<style>html{filter:invert(1) hue-rotate(180deg);background:#fff}"
    "img,video,picture{filter:invert(1) hue-rotate(180deg)}</style>"
)


def darken(html: str) -> str:
    """The same HTML with colors turned, or with its own dark ones switched on."""
    if OWN_COLORS.search(html):
        return OWN_COLORS.sub("min-width: 0)", html)
    found = HEAD_END.search(html)
    return html[: found.start()] + TURNED + html[found.start() :] if found else TURNED + html
