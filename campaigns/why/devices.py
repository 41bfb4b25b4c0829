"""What became of a push on each device of the person."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _


def device_facts(devices: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each device once, with its last answer. Devices are named by service and hash, never by address."""
    last = {one["device"]: one for one in devices}
    words = {
        "sent": _("taken"), "unknown": _("no answer"), "later": _("busy"), "refused": _("refused"),
        "gone": _("gone; forgotten"), "not_tried": _("not tried"),
    }  # fmt: skip
    return [
        {
            "device": one["device"], "outcome": one["outcome"], "words": words[one["outcome"]],
            "answer": one["answer"], "at": datetime.fromtimestamp(one["at"], UTC).isoformat(),
        }
        for one in last.values()
    ]  # fmt: skip
