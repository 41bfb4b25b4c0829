"""The main job on Complete Journey: segment, model, campaign, send; counts agree to the person."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

from celery import current_app
from django.conf import settings

from campaigns import selectors as campaigns
from campaigns.models import Delivery, DeliveryStatus, Run, RunStatus
from campaigns.services import MessageDraft, launch, save_campaign
from experiments import selectors as experiments
from experiments.services import ensure_default_metrics
from personalization.content.starters import starters
from personalization.demo.api_client import Api
from personalization.demo.journey import JourneyError
from personalization.demo.shoppers import Inbox
from personalization.demo.telling import Say
from personalization.events.models import Event
from personalization.segments import selectors as segments
from personalization.segments.models import Segment
from personalization.segments.services import save_segment
from recommender import services as recommender
from recommender.models import ModelRun
from recommender.models import RunStatus as ModelStatus
from recommender.ranking.rules import ONLY, Rules

ACTOR = "complete-journey"
NOW = datetime(2018, 1, 2, tzinfo=UTC)
SPENT: dict[str, Any] = {"event": "Order Line", "op": "sum", "of": "value", "is": "more_than", "value": 1000}
QUESTION = {"all": [SPENT | {"window": {"last_days": 90}}]}
SEGMENT_NAME = "Complete Journey: spent over 1,000 in the 90 days before 2 January 2018"
PATIENCE_SECONDS = 120
MODEL = ("als", {"factors": 32, "iterations": 8})


@dataclass(frozen=True)
class Agreement:
    """One line of the last table: the same count, taken in different places."""

    what: str
    counts: dict[str, int]

    @property
    def holds(self) -> bool:
        return len(set(self.counts.values())) == 1


def find_segment(*, say: Say) -> Segment:
    """Saved with fixed days: the data ends in 2017, so "the last 90 days" of today would be empty."""
    days = {"from": (NOW - timedelta(days=90)).isoformat(), "to": NOW.isoformat()}
    definition = {"all": [SPENT | {"window": days}]}
    there = Segment.objects.filter(name=SEGMENT_NAME).first()
    version = save_segment(there, name=SEGMENT_NAME, definition=definition, actor=ACTOR)
    size = segments.count(definition, now=NOW)
    if size != segments.count(QUESTION, now=NOW):
        raise JourneyError("The same question with fixed and with moving days has two answers.")
    say(f"  segment: {size:,} households spent over 1,000 in the 90 days before 2 January 2018")
    return version.segment


def train_model(*, say: Say) -> ModelRun:
    """Trains here and now, and lets the model serve: the demo must not depend on who served before."""
    algorithm, parameters = MODEL
    run = recommender.train(algorithm=algorithm, parameters=parameters, actor=ACTOR)
    began = time.monotonic()
    recommender.run_training(run.pk)
    run.refresh_from_db()
    if run.status != ModelStatus.DONE:
        raise JourneyError(f"The model is {run.status}: {run.error}")
    if not run.is_champion:
        recommender.promote(run, actor=ACTOR, reason="Complete Journey demo")
    say(f"  model: {algorithm} on {run.n_interactions:,} interactions in {time.monotonic() - began:.1f} s")
    return run


def variants() -> list[dict[str, Any]]:
    """Four: another subject, fewer items, and what the household bought before."""
    picks = next(starter for starter in starters() if starter.key == "picks")
    return [
        {"key": "picks", "name": "Picks", "subject": picks.subject, "body": picks.body},
        {"key": "plain", "name": "Plain subject", "subject": "Six ideas for your next basket",
         "body": picks.body},
        {"key": "three", "name": "Three items", "subject": picks.subject, "body": picks.body,
         "item_count": 3},
        {"key": "again", "name": "What you buy", "subject": "Time for more?", "body": picks.body,
         "rules": {"bought": ONLY}},
    ]  # fmt: skip


def save_and_launch(segment: Segment) -> Run:
    """As the pages do it."""
    drafts = [MessageDraft(**{**one, "rules": Rules.from_json(one.get("rules", {}))}) for one in variants()]
    campaign = save_campaign(None, segment=segment, messages=drafts, actor=ACTOR, **_fields())
    return launch(campaign, actor=ACTOR)


def save_and_launch_by_api(segment: Segment, api: Api) -> Run:
    """As any other program does it. Raises ApiError."""
    body = {**_fields(), "segment": segment.pk, "messages": variants()}
    campaign = api.call("/api/v1/campaigns", body)
    launched = api.call(f"/api/v1/campaigns/{campaign['id']}/launch", {})
    return Run.objects.get(pk=launched["run"])


def _fields() -> dict[str, Any]:
    ensure_default_metrics()
    return {
        "name": "Complete Journey", "control_share": 0.2, "sender_name": "Complete Journey",
        "sender_address": settings.DEFAULT_SENDER,
    }  # fmt: skip


def require_worker() -> None:
    """Raises JourneyError telling what to start when no worker answers."""
    try:
        answers = current_app.control.ping(timeout=3)
    except Exception as error:  # kombu and redis raise many kinds; each means the same here
        raise JourneyError(f"The broker does not answer ({error}). Start the product: bin/run") from error
    if not answers:
        raise JourneyError(
            "No worker answers, so nobody would send. Start the product in another terminal: bin/run\n"
            "or: celery -A personalization.config worker -Q send,default,train,analyse,ingest -B"
        )


def wait_until_sent(run: Run, *, say: Say) -> None:
    """Waits while workers send. Raises JourneyError when nothing moves any more."""
    began = last_change = time.monotonic()
    before = None
    while run.status == RunStatus.SENDING:
        now = campaigns.progress(run)
        if now != before:
            before, last_change = now, time.monotonic()
        if time.monotonic() - last_change > PATIENCE_SECONDS:
            raise JourneyError(
                f"Nothing was sent for {PATIENCE_SECONDS} s. Is a worker and beat running? bin/run"
            )
        time.sleep(0.5)
        run.refresh_from_db()
    say(f"  sent in {time.monotonic() - began:.1f} s after launch")


class ServerCount:
    """Counts what the SMTP server took, by its own feed."""

    def __init__(self, url: str) -> None:
        self.inbox = Inbox(url)
        try:
            with urlopen(f"{self.inbox.url}/messages.json?limit=0", timeout=10) as answer:  # noqa: S310
                self.before = int(json.load(answer)["accepted"])
        except (OSError, HTTPException, ValueError, KeyError) as error:
            raise JourneyError(
                f"The mail catcher does not answer at {url}. Start the product: bin/run"
            ) from error
        self.inbox.after = self.before

    def recipients(self) -> Counter[str]:
        return Counter(address.lower() for message in self.inbox.new() for address in message["recipients"])


def compare_counts(run: Run, *, server: Counter[str]) -> list[Agreement]:
    """Ledger, events, SMTP server and report side by side; the caller fails unless all hold."""
    progress = campaigns.progress(run)
    sent = Delivery.objects.filter(run=run, status=DeliveryStatus.SENT)
    addresses = {address.lower() for address in sent.values_list("customer__email", flat=True)}
    ours = {address: n for address, n in server.items() if address in addresses}
    told = Event.objects.filter(name="Message Sent", properties__run=run.pk)
    report = experiments.report(run.experiment)
    rows = [
        Agreement("audience", {
            "segment at launch": run.audience_size, "ledger": progress["audience"],
            "sum of states": sum(progress[status] for status in DeliveryStatus.values),
            "report": sum(variant.customers for variant in report.variants),
        }),
        Agreement("sent", {
            "ledger": progress["sent"], "server": sum(ours.values()), "server, different people": len(ours),
            "events": told.count(),
        }),
    ]  # fmt: skip
    for variant in report.variants:
        ledger = sum(progress["variants"].get(variant.key, {}).values())
        rows.append(Agreement(variant.key, {"ledger": ledger, "report": variant.customers}))
    return rows
