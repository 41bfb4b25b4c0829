"""Reads of the campaigns room."""

from typing import Any

from django.db.models import Count, QuerySet

from campaigns.models import Campaign, Delivery, DeliveryStatus, Run, RunStatus


def latest_run(campaign: Campaign) -> Run | None:
    return campaign.runs.order_by("-number").first()


def progress(run: Run) -> dict[str, Any]:
    """Counts that add up: audience = sent + failed + skipped + unknown + pending, to the person.

    `reasons` splits the skipped; `variants` has the same counts per variant key ("" for no variant).
    """
    rows = (
        Delivery.objects.filter(run=run)
        .order_by()
        .values_list("variant__key", "status", "reason", "is_rest")
        .annotate(n=Count("pk"))
    )
    counts = dict.fromkeys(DeliveryStatus.values, 0)
    reasons: dict[str, int] = {}
    variants: dict[str, dict[str, int]] = {}
    for variant, status, reason, is_rest, n in rows:
        counts[status] += n
        # The rest has no place in the test: its messages must not stand beside the variant's own.
        one = variants.setdefault("" if is_rest else variant or "", dict.fromkeys(DeliveryStatus.values, 0))
        one[status] += n
        if status == DeliveryStatus.SKIPPED:
            reasons[reason] = reasons.get(reason, 0) + n
    return {
        "run": run.pk,
        "status": run.status,
        "note": run.note,
        "audience": sum(counts.values()),
        **counts,
        "reasons": reasons,
        "variants": variants,
        "launched_at": run.launched_at,
        "finished_at": run.finished_at,
    }


def deliveries(run: Run, *, status: str = "", reason: str = "") -> QuerySet[Delivery]:
    """Everyone considered by this run, with variant and customer loaded."""
    found = Delivery.objects.filter(run=run).select_related("variant", "customer")
    if status:
        found = found.filter(status=status)
    if reason:
        found = found.filter(reason=reason)
    return found


def open_runs_by_status() -> dict[str, int]:
    """Deliveries of the runs that are not finished, by status; for the metrics that operators scrape."""
    rows = (
        Delivery.objects.filter(run__status__in=[RunStatus.SENDING, RunStatus.PAUSED])
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    return dict.fromkeys(DeliveryStatus.values, 0) | dict(rows)
