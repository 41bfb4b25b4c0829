"""Two versions of a message, line by line. A version is the message of a variant as it stands now, or as a
launch froze it: `draft:<variant>` or `run:<number>:<variant>`.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Campaign, Message
from campaigns.planning.frozen import content_of

PARTS = ("subject", "preheader", "body", "missing")
MAX_LINES = 5000


@dataclass(frozen=True)
class Line:
    """`kind`: same, removed, added. Numbers are those of the lines in the older and the newer version."""

    kind: str
    text: str
    older: int | None = None
    newer: int | None = None


@dataclass(frozen=True)
class PartDiff:
    """`part`: subject, preheader, body, missing, fields.<name>, items, block.<name>, phrases.<name> or
    translations.<language>.<part>."""

    part: str
    lines: list[Line]

    @property
    def is_same(self) -> bool:
        return all(line.kind == "same" for line in self.lines)

    @property
    def label(self) -> str:
        """For people, in their language."""
        kind, _dot, name = self.part.partition(".")
        if kind == "items":
            return _("recommended items")
        if kind == "translations":
            language, _dot, part = name.partition(".")
            return f"{replace(self, part=part).label} ({language})"
        if kind in ("block", "phrases"):
            return f"{_('content block') if kind == 'block' else _('phrase set')}: {name}"
        label = str(getattr(Message._meta.get_field(kind), "verbose_name", kind))
        return f"{label}: {name}" if name else label


def versions(campaign: Campaign) -> dict[str, str]:
    """Labels by key of every version there is, the present ones first."""
    found = {
        f"draft:{m.key}": _("%(name)s, as it is now") % {"name": m.name}
        for m in campaign.messages.order_by("position", "pk")
    }
    for run in campaign.runs.order_by("-number"):
        for key, content in run.content.get("variants", {}).items():
            label = _("%(name)s, as launched in run %(number)s") % {
                "name": content.get("name") or key, "number": run.number,
            }  # fmt: skip
            found[f"run:{run.number}:{key}"] = label
    return found


def content_at(campaign: Campaign, version: str) -> dict[str, Any] | None:
    """The message's content by a key of `versions`; None when there is no such version."""
    kind, _colon, rest = version.partition(":")
    if kind == "draft":
        message = campaign.messages.filter(key=rest).first()
        if message is None:
            return None
        return {**content_of(message), "item_count": message.item_count, "rules": message.rules}
    number, _colon, variant = rest.partition(":")
    if kind != "run" or not number.isdecimal() or len(number) > 6:
        return None
    run = campaign.runs.filter(number=int(number)).first()
    return run.content.get("variants", {}).get(variant) if run else None


def compare(older: Mapping[str, Any], newer: Mapping[str, Any]) -> list[PartDiff]:
    """Only the parts that one of the two has."""
    before, after = _texts(older), _texts(newer)
    names = list(dict.fromkeys([*before, *after]))
    return [PartDiff(name, compare_lines(before.get(name, ""), after.get(name, ""))) for name in names]


def _texts(content: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(content.get(name) or "") for name in PARTS}
    for language, text in sorted((content.get("translations") or {}).items()):
        own = {**text, **{f"fields.{name}": value for name, value in (text.get("fields") or {}).items()}}
        own.pop("fields", None)
        found |= {f"translations.{language}.{part}": str(value) for part, value in sorted(own.items())}
    found |= {f"fields.{name}": str(value) for name, value in sorted((content.get("fields") or {}).items())}
    choice = {"count": content.get("item_count"), "rules": content.get("rules") or {}}
    found["items"] = json.dumps(choice, indent=1, sort_keys=True, ensure_ascii=False)
    for kind, key in (("block", "blocks"), ("phrases", "phrases")):
        for name, one in sorted((content.get(key) or {}).items()):
            found[f"{kind}.{name}"] = json.dumps(one["texts"], indent=1, sort_keys=True, ensure_ascii=False)
    return {name: text for name, text in found.items() if text}


def compare_lines(older: str, newer: str) -> list[Line]:
    before, after = older.splitlines()[:MAX_LINES], newer.splitlines()[:MAX_LINES]
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=len(before) > 1000)
    for _tag, a, b, c, d in matcher.get_opcodes():
        if _tag == "equal":
            lines += [Line("same", before[a + n], a + n + 1, c + n + 1) for n in range(b - a)]
            continue
        lines += [Line("removed", before[n], older=n + 1) for n in range(a, b)]
        lines += [Line("added", after[n], newer=n + 1) for n in range(c, d)]
    return lines
