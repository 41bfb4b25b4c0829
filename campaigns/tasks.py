"""Celery's entrances: the tick that finds what is due, and the work on one chunk.

Both may run at any time and any number of times; what happens is decided in PostgreSQL.
"""

from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, transaction
from django.db import OperationalError as DatabaseTrouble
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from campaigns import ledger, services
from campaigns.feedback.mailbox import MailboxError, read_mailbox
from campaigns.journeys import calling, entering, passing, stuck
from campaigns.limits import caps
from campaigns.models import (
    CallStatus,
    Campaign,
    CampaignStatus,
    Chunk,
    Journey,
    JourneyStatus,
    Rehearsal,
    Telling,
    TellingStatus,
    WebhookCall,
    WebhookEndpoint,
)
from campaigns.rehearsing.asking import forget_old_rehearsals, make_rehearsal
from campaigns.rollout import waves as learning
from campaigns.rollout import winner
from campaigns.sending import chunk
from campaigns.subject_lines.learning import learn
from campaigns.webhooks import telling
from personalization.access.jobs.work import lost_jobs, run_job
from personalization.access.problems import ProblemError

log = structlog.get_logger(__name__)
# Chunks in the broker at once: enough for many workers, few enough that a flushed broker costs nothing.
IN_BROKER = 64
# A chunk that was handed to the broker and not taken by then is handed over again.
QUEUED = timedelta(seconds=20)
# A look or a step that no worker took by then: the tick has handed over another one.
STALE_SECONDS = 10


@shared_task(ignore_result=True)
def tick() -> None:
    """Launches due campaigns, hands chunks, due looks and due waves to workers, closes finished runs.
    Cheap when nothing is due."""
    now = timezone.now()
    due = Campaign.objects.filter(status=CampaignStatus.SCHEDULED, scheduled_at__lte=now)
    for campaign_id in due.order_by("scheduled_at").values_list("pk", flat=True):
        launch_due(campaign_id)
    for chunk_id in take_due_chunks():
        send_chunk.delay(chunk_id)
    for plan_id in winner.take_due_plans(now=now):
        take_look.delay(plan_id)
    for learning_id in learning.take_due(now=now):
        send_wave.delay(learning_id)
    caps.count_lapsed(now=now)
    _hand_over_journeys(now)
    ledger.finish_runs(now=timezone.now())


def _hand_over_journeys(now: datetime) -> None:
    """One task a journey to look who comes in, one a node at which somebody is due. What is handed over
    twice does no harm: a second look, or a second step, finds the rows taken."""
    for journey_id in Journey.objects.filter(status=JourneyStatus.ACTIVE).values_list("pk", flat=True):
        look_at_journey.apply_async((journey_id,), expires=STALE_SECONDS)
    for due in passing.due_nodes(now=now):
        step_journey.apply_async((due.version_id, due.node), expires=STALE_SECONDS)
    if WebhookCall.objects.filter(status=CallStatus.WAITING, due_at__lte=now).exists():
        make_calls.apply_async(expires=STALE_SECONDS)


@shared_task(ignore_result=True)
def look_at_journey(journey_id: int) -> None:
    entering.look(journey_id, now=timezone.now())


@shared_task(ignore_result=True)
def step_journey(version_id: int, node: str) -> None:
    """Batch after batch, until nobody is due at the node."""
    while stuck.step(passing.Due(version_id, node), now=timezone.now()) >= passing.BATCH:
        pass


@shared_task(ignore_result=True)
def make_calls() -> None:
    calling.make_due_calls()


@shared_task(ignore_result=True)
def send_chunk(chunk_id: int) -> None:
    chunk.send_chunk(chunk_id)


@shared_task(ignore_result=True)
def tell_events() -> None:
    """Puts new events into the logs of webhooks and hands endpoints with due calls to workers."""
    now = timezone.now()
    for endpoint in WebhookEndpoint.objects.filter(is_active=True):
        telling.collect(endpoint, now=now)
    due = Telling.objects.filter(status=TellingStatus.WAITING, due_at__lte=now, endpoint__is_active=True)
    for endpoint_id in due.order_by().values_list("endpoint", flat=True).distinct():
        tell_endpoint.delay(endpoint_id)


@shared_task(ignore_result=True)
def tell_endpoint(endpoint_id: int) -> None:
    telling.tell_due(endpoint_id)


@shared_task(ignore_result=True)
def read_bounces() -> None:
    """Reads the mailbox of reports, where there is one; two at a time would read the same mail."""
    if not settings.BOUNCE_MAILBOX or not cache.add("campaigns:read-bounces", 1, timeout=300):
        return
    try:
        log.info("bounces_read", **read_mailbox(settings.BOUNCE_MAILBOX))
    except MailboxError as error:
        log.warning("bounce_mailbox_unreadable", error=str(error))
    finally:
        cache.delete("campaigns:read-bounces")


@shared_task(ignore_result=True)
def run_rehearsal(rehearsal_id: int) -> None:
    """Running it twice does no harm."""
    run_job(Rehearsal, rehearsal_id, make_rehearsal)


@shared_task(ignore_result=True)
def start_rehearsals() -> None:
    """Those whose task or worker was lost; old ones go."""
    forget_old_rehearsals()
    for rehearsal_id in lost_jobs(Rehearsal):
        run_rehearsal.delay(rehearsal_id)


@shared_task(ignore_result=True)
def take_look(plan_id: int) -> None:
    if winner.take_look(plan_id) is not None:
        wake()


@shared_task(ignore_result=True)
def send_wave(learning_id: int) -> None:
    if learning.send_wave(learning_id):
        wake()


def launch_due(campaign_id: int) -> None:
    """Launches one scheduled campaign, unless another tick is at it. What hinders it is shown on it, in the
    language of who planned it, and hinders nothing else that is due."""
    language = Campaign.objects.filter(pk=campaign_id).values_list("language", flat=True).first()
    with translation.override(language or settings.LANGUAGE_CODE):
        try:
            _launch(campaign_id)
        except ProblemError as error:
            log.warning("launch_failed", campaign=campaign_id, error=error.slug)
            _unschedule(campaign_id, error.detail)
        except (DatabaseTrouble, InterfaceError):
            # Of the database, too busy or away: the next tick tries again.
            log.exception("launch_failed", campaign=campaign_id)
            text = _("The database could not carry out the launch. It is tried again by itself.")
            due = Campaign.objects.filter(pk=campaign_id, status=CampaignStatus.SCHEDULED)
            due.update(problem=text)
        except Exception as error:
            log.exception("launch_failed", campaign=campaign_id)
            text = _(
                "An unexpected error (%(error)s) stopped the launch; the log of the worker has it whole."
            )
            _unschedule(campaign_id, text % {"error": type(error).__name__})


def _launch(campaign_id: int) -> None:
    now = timezone.now()
    with transaction.atomic():
        campaign = (
            Campaign.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=campaign_id, status=CampaignStatus.SCHEDULED, scheduled_at__lte=now)
            .first()
        )
        if campaign is not None:
            services.launch(campaign, actor="schedule", now=now)


def _unschedule(campaign_id: int, problem: str) -> None:
    try:
        services.unschedule(Campaign.objects.get(pk=campaign_id), actor="schedule", problem=problem)
    except ProblemError:
        return  # somebody was faster


@shared_task(ignore_result=True)
def learn_subject_lines() -> None:
    """What subject lines did, learned anew."""
    learn(now=timezone.now())


def take_due_chunks() -> list[int]:
    """Ids of chunks to hand over now; each is marked, so that the next tick does not hand it over again."""
    now = timezone.now()
    with transaction.atomic():
        open_now = Chunk.objects.filter(ledger.open_chunks(now))
        room = IN_BROKER - open_now.filter(queued_until__gt=now).count()
        if room <= 0:
            return []
        ids = list(
            open_now.exclude(queued_until__gt=now)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at", "pk")
            .values_list("pk", flat=True)[:room]
        )
        Chunk.objects.filter(pk__in=ids).update(queued_until=now + QUEUED)
    return ids


def wake() -> None:
    """Asks for a tick now, so that a launch does not wait for the next one. Without a broker it waits."""
    try:
        tick.delay()
    except OperationalError:
        log.warning("broker_unreachable")
