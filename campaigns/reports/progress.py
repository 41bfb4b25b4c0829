"""How far a run is: the part of its report that moves while it is sent, and the stream of it."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from campaigns import selectors
from campaigns.models import Run, RunStatus, SenderAccount, SkipReason
from campaigns.pacing.words import duration
from campaigns.reports.speed import Speed, read_speed, speed_picture
from personalization.access.actors import actor_labels
from personalization.access.live.stream import stream
from personalization.customers.reading import may_see
from personalization.privacy.told import step_for


@dataclass(frozen=True)
class Reading:
    run: Run = field(repr=False)
    progress: dict[str, Any]
    launcher: str
    speed: Speed | None


def progress_stream(request: HttpRequest, run: Run) -> HttpResponseBase:
    """The part as it becomes, until the run is over. Read once a second for all who watch this run."""
    can_steer = request.user.has_perm("campaigns.launch_campaign")
    whole = may_see(request)
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()
    drawn: list[Speed] = []

    def read() -> Reading:
        try:
            now = Run.objects.get(pk=run.pk)
        except Run.DoesNotExist as error:
            raise LookupError(run.pk) from error
        # While it is counted anew the picture of a moment ago stays.
        drawn[:] = [speed] if (speed := read_speed(now)) else drawn
        with translation.override(language):  # a note about a provider is a sentence
            return Reading(now, selectors.recent_progress(now), launcher_of(now), drawn[0] if drawn else None)

    def say(reading: Reading) -> tuple[str, bool]:
        with translation.override(language), timezone.override(zone):
            context = progress_context(
                reading.run, selectors.told_progress(reading.progress, whole=whole), can_steer=can_steer,
                launcher=reading.launcher, speed=reading.speed if whole else None,
                fewer_than=step_for(request),
            )  # fmt: skip
            html = render_to_string("campaigns/report_progress.html", context)
        status = reading.progress["status"]
        text = json.dumps({"html": html, "status": status})
        return text, status not in (RunStatus.SENDING, RunStatus.PAUSED)

    return stream(request, ("run", run.pk, language), read, say)


def launcher_of(run: Run) -> str:
    return actor_labels([run.launched_by])[run.launched_by]


def progress_context(
    run: Run,
    progress: dict[str, Any],
    *,
    launcher: str,
    speed: Speed | None,
    can_steer: bool,
    fewer_than: int,
) -> dict[str, Any]:
    """`fewer_than` is the step in which the numbers are told; 0 when they are exact."""
    return {
        "run": run,
        "launcher": launcher,
        "campaign_id": run.campaign_id,
        "progress": progress,
        "bar": _bar(progress),
        "waiting": _waiting(progress),
        "speed": speed_picture(speed),
        "time_left": duration(progress["seconds_left"]) if progress["seconds_left"] else "",
        "can_steer": can_steer,
        "fewer_than": fewer_than,
        "statuses": RunStatus,
        "inbox_url": _inbox_of(run),
    }


def _inbox_of(run: Run) -> str:
    """Where the mails are caught; empty when a sender of one's own takes them out into the world."""
    if not settings.INBOX_URL or run.content.get("channel") != "email":
        return ""
    has_sender = SenderAccount.objects.filter(channel="email", is_active=True).exists()
    return "" if has_sender else settings.INBOX_URL


def _bar(progress: dict[str, Any]) -> list[dict[str, Any]]:
    whole = progress["audience"] or 1
    if progress["is_counting"]:
        return []
    return [
        {"key": key, "label": label, "n": progress[key], "share": f"{progress[key] / whole * 100:.3f}"}
        for key, label in (
            ("sent", _("Sent")),
            ("failed", _("Failed")),
            ("unknown", pgettext("outcome", "Unknown")),
            ("skipped", _("Not sent")),
            ("pending", _("Waiting")),
        )
    ]


def _waiting(progress: dict[str, Any]) -> list[dict[str, Any]]:
    labels = dict(SkipReason.choices)
    return [{"label": labels.get(reason, reason), "n": n} for reason, n in progress["waiting"].items()]


def reasons(progress: dict[str, Any]) -> list[dict[str, Any]]:
    labels = dict(SkipReason.choices)
    rows = [{"label": labels.get(reason, reason), "n": n} for reason, n in progress["reasons"].items()]
    if progress["failed"]:
        rows.append({"label": _("Refused by the mail server"), "n": progress["failed"]})
    if progress["unknown"]:
        rows.append(
            {
                "label": _("Handed over, but the answer was lost: never sent again blindly"),
                "n": progress["unknown"],
            }
        )
    return sorted(rows, key=lambda row: -row["n"])
