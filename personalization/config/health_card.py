"""Workers and queues on the first page, a part of its own: a Redis that hangs must not hold up the page."""

from dataclasses import dataclass

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from campaigns.selectors import seconds_overdue
from personalization.access.shell import staff_page
from personalization.config.heartbeat import OLD_SECONDS, heartbeat_age
from personalization.config.queues import QUEUES

OVERDUE_SECONDS = 60
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    is_well: bool
    text: str


@dataclass(frozen=True)
class Queue:
    name: str
    length: int


@staff_page("campaigns.view_campaign")
def health_card(request: HttpRequest) -> HttpResponse:
    try:
        queues, lines = _queues(), [_workers()]
    except redis.RedisError:
        queues, lines = [], [Line(False, _("Redis does not answer: nothing is sent until it does."))]
    return render(request, "shell/health_card.html", {"lines": [*lines, _sends()], "queues": queues})


def _names() -> dict[str, str]:
    return {
        "send": _("sending"),
        "train": _("training"),
        "analyse": _("analyses"),
        "ingest": _("reading data"),
        "default": _("the rest"),
    }


def _queues() -> list[Queue]:
    timeouts = {"socket_timeout": WAIT_SECONDS, "socket_connect_timeout": WAIT_SECONDS}
    with redis.Redis.from_url(settings.REDIS_URL, **timeouts) as client:
        return [Queue(_names()[name], int(client.llen(name))) for name in QUEUES]


def _workers() -> Line:
    age = heartbeat_age()
    if age is None or age > OLD_SECONDS:
        return Line(False, _("No worker has given a sign of life for a minute: manage.py doctor tells why."))
    return Line(True, _("Workers are alive."))


def _sends() -> Line:
    late = seconds_overdue()
    if late > OVERDUE_SECONDS:
        return Line(
            False, _("The oldest message that is due waits for %(n)s seconds.") % {"n": f"{late:,.0f}"}
        )
    return Line(True, _("Nothing that is due waits."))
