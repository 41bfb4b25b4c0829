"""Reads of the campaigns room."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from campaigns.models import (
    Campaign,
    Chunk,
    ChunkStatus,
    Delivery,
    DeliveryStatus,
    Run,
    RunStatus,
    Telling,
    TellingStatus,
)
from campaigns.pacing.remaining import seconds_left
from campaigns.senders.accounts import trouble_of
from experiments.models import Experiment
from personalization.customers.recent import recent
from personalization.privacy.floor import round_down
from personalization.privacy.told import told_counts

TESTS_SHOWN = 10


def latest_run(campaign: Campaign) -> Run | None:
    return campaign.runs.order_by("-number").first()


def outcomes(run: Run) -> list[tuple[str | None, str, str, bool, int]]:
    """How many deliveries have this variant key, status, reason, and are of the rest or not."""
    return list(
        Delivery.everything.filter(run=run)
        .order_by()
        .values_list("variant__key", "status", "reason", "is_rest")
        .annotate(n=Count("pk"))
    )


def recent_outcomes(run: Run) -> list[tuple[str | None, str, str, bool, int]] | None:
    """As `outcomes`, for pages: of very many people some seconds old, None while they are counted first."""
    return recent(f"campaigns:outcomes:{run.pk}:{run.status}", lambda: outcomes(run))


def recent_progress(run: Run) -> dict[str, Any]:
    """As `progress`, for pages. `is_counting` while nothing but the audience is known yet."""
    counted = recent_outcomes(run)
    found = progress(run, counted or [])
    return {
        **found,
        "audience": found["audience"] if counted else run.audience_size,
        "is_counting": counted is None,
    }


def progress(
    run: Run, counted: Sequence[tuple[str | None, str, str, bool, int]] | None = None
) -> dict[str, Any]:
    """Counts that add up: audience = sent + failed + skipped + unknown + pending, to the person.

    `reasons` splits the skipped, `waiting` those pending that a limit holds back; `variants` has the same
    counts per variant key ("" for no variant). `seconds_left`: at the rate that is set; None without one.
    """
    counts = dict.fromkeys(DeliveryStatus.values, 0)
    reasons: dict[str, int] = {}
    waiting: dict[str, int] = {}
    variants: dict[str, dict[str, int]] = {}
    for variant, status, reason, is_rest, n in outcomes(run) if counted is None else counted:
        counts[status] += n
        # The rest has no place in the test: its messages must not stand beside the variant's own.
        one = variants.setdefault("" if is_rest else variant or "", dict.fromkeys(DeliveryStatus.values, 0))
        one[status] += n
        if status == DeliveryStatus.SKIPPED:
            reasons[reason] = reasons.get(reason, 0) + n
        elif status == DeliveryStatus.PENDING and reason:
            waiting[reason] = waiting.get(reason, 0) + n
    return {
        "run": run.pk,
        "status": run.status,
        "note": gettext(run.note) if run.note else _waits(run),
        "audience": sum(counts.values()),
        **counts,
        "reasons": reasons,
        "waiting": waiting,
        "variants": variants,
        "per_second": run.per_second,
        "seconds_left": seconds_left(run, counts[DeliveryStatus.PENDING]),
        "launched_at": run.launched_at,
        "finished_at": run.finished_at,
    }


def told_progress(found: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """As whoever may not see personal data gets it: each count in steps of the floor."""
    if whole:
        return found
    counts = {name: round_down(found[name]) for name in ("audience", *DeliveryStatus.values)}
    splits = {name: told_counts(found[name], whole=False) for name in ("reasons", "waiting")}
    variants = {key: told_counts(one, whole=False) for key, one in found["variants"].items()}
    return {**found, **counts, **splits, "variants": variants, "seconds_left": None}


def _waits(run: Run) -> str:
    return trouble_of(run.content["channel"]) if run.status == RunStatus.SENDING else ""


def stages(experiment: Experiment) -> dict[str, dict[str, int]]:
    """Customers of each variant that a message was handed over for (sent), and whose server took it.

    The rest, which gets the winner later, was never divided and has no place here.
    """
    return _stages([row for run in Run.objects.filter(experiment=experiment) for row in outcomes(run)])


def recent_stages(experiment: Experiment) -> dict[str, dict[str, int]] | None:
    """As `stages`, for pages: of very many people some seconds old, None while they are counted first."""
    counted = [recent_outcomes(run) for run in Run.objects.filter(experiment=experiment)]
    if None in counted:
        return None
    return _stages([row for rows in counted for row in rows or ()])


def _stages(counted: Sequence[tuple[str | None, str, str, bool, int]]) -> dict[str, dict[str, int]]:
    reached = {"sent": {"sent", "failed", "unknown"}, "delivered": {"sent"}}
    found: dict[str, dict[str, int]] = {}
    for key, status, _reason, is_rest, n in counted:
        if key is None or is_rest:
            continue
        for name, statuses in reached.items():
            one = found.setdefault(name, {})
            one[key] = one.get(key, 0) + (n if status in statuses else 0)
    return found


def deliveries(run: Run, *, status: str = "", reason: str = "") -> QuerySet[Delivery]:
    """Everyone considered by this run, with variant and customer loaded."""
    found = Delivery.everything.filter(run=run).select_related("variant", "customer")
    if status:
        found = found.filter(status=status)
    if reason:
        found = found.filter(reason=reason)
    return found


def newest_tests(run: Run) -> list[Delivery]:
    """What test keys triggered beside this run, newest first."""
    # Not as a join: the few would be looked for from the end of all messages.
    tests = Run.everything.filter(campaign=run.campaign_id, number=run.number, is_test=True).first()
    if tests is None:
        return []
    found = Delivery.everything.filter(run=tests).select_related("customer", "variant")
    return list(found.order_by("-pk")[:TESTS_SHOWN])


def open_runs_by_status() -> dict[str, int]:
    """Deliveries of the runs that are not finished, by status; for the metrics that operators scrape.

    Of standing runs only those that wait or are unknown: the others are all there ever were, and grow for
    as long as the run is open.
    """
    counts = dict.fromkeys(DeliveryStatus.values, 0)
    runs = Run.objects.filter(status__in=[RunStatus.SENDING, RunStatus.PAUSED])
    unsettled = [DeliveryStatus.PENDING, DeliveryStatus.UNKNOWN]
    # Two queries, so that the index answers the second: it begins with run and status.
    for is_standing, statuses in ((False, DeliveryStatus.values), (True, unsettled)):
        ids = list(runs.filter(is_standing=is_standing).values_list("pk", flat=True))
        found = Delivery.objects.filter(run__in=ids, status__in=statuses).order_by().values_list("status")
        for status, n in found.annotate(n=Count("pk")):
            counts[status] += n
    return counts


def seconds_overdue() -> float:
    """How long the oldest chunk of a sending run could have been claimed already; 0 when none waits."""
    now = timezone.now()
    due = (
        Chunk.objects.filter(run__status=RunStatus.SENDING, due_at__lte=now)
        .exclude(status=ChunkStatus.DONE)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .aggregate(oldest=Min("due_at"))["oldest"]
    )
    return (now - due).total_seconds() if due else 0.0


def webhook_calls_by_status() -> dict[str, int]:
    """Those that wait or failed; told ones are of no concern to an operator."""
    open_ones = [TellingStatus.WAITING.value, TellingStatus.FAILED.value]
    rows = Telling.objects.filter(status__in=open_ones).order_by().values_list("status")
    return dict.fromkeys(open_ones, 0) | dict(rows.annotate(n=Count("pk")))
