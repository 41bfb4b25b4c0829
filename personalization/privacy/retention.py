"""Nothing is kept for longer than it is needed: rules by kind of data, carried out at night in small batches.

What happens to a row that is too old is what its model declares for an erasure: it goes, or stays for counts
and leads to nobody. A profile that has been silent for too long is erased like on request.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from personalization.access.models import AuditEntry, PersonalRead
from personalization.access.services import audit
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData
from personalization.privacy.declared import declared
from personalization.privacy.models import OptIn, RetentionRule
from personalization.privacy.requests import ask_erasure, carry_out

BATCH = 1000
SHORTEST_DAYS = 1
PROFILE = "profile"
# Logs of the access room, which nobody owns but the law: kept as long as they may have to be shown.
LOGS: dict[str, type[Model]] = {"audit log": AuditEntry, "reads of personal data": PersonalRead}
# Asked for and never confirmed: nothing but a stranger's address, perhaps typed by somebody else.
UNCONFIRMED = "unconfirmed opt-ins"
COUNTED = 1_000_000


@dataclass(frozen=True)
class Outlook:
    """What a rule would treat now. `count` is exact up to COUNTED."""

    kind: str
    days: int | None
    is_active: bool
    action: str
    count: int
    last_run_at: datetime | None
    last_count: int


def kinds() -> list[str]:
    """Every kind of data that grows old."""
    found = {data.kind for model, data in declared() if data.ages_by and model is not Customer}
    return [PROFILE, *sorted(found - {PROFILE}), UNCONFIRMED, *LOGS]


def outlook() -> list[Outlook]:
    """A dry run of all rules; kinds without a rule are there with no days and nothing to treat."""
    rules = {rule.kind: rule for rule in RetentionRule.objects.all()}
    now = timezone.now()
    return [_outlook(kind, rules.get(kind), now) for kind in kinds()]


def _outlook(kind: str, rule: RetentionRule | None, now: datetime) -> Outlook:
    actions = {data.at_erasure.value for _model, data in declared() if data.kind == kind and data.ages_by}
    count = 0
    if rule is not None:
        cut = now - timedelta(days=rule.days)
        count = sum(rows[:COUNTED].count() for rows, _data in _too_old(kind, cut))
    return Outlook(
        kind, rule.days if rule else None, bool(rule and rule.is_active),
        "erasure" if kind == PROFILE else " / ".join(sorted(actions)) or "delete",
        count, rule.last_run_at if rule else None, rule.last_count if rule else 0,
    )  # fmt: skip


def save_rule(kind: str, *, days: int | None, is_active: bool, actor: str) -> None:
    """None: no rule. Raises ValueError for a kind that does not exist or fewer than one day."""
    if kind not in kinds() or (days is not None and days < SHORTEST_DAYS):
        raise ValueError(kind)
    if days is None:
        RetentionRule.objects.filter(kind=kind).delete()
    else:
        RetentionRule.objects.update_or_create(kind=kind, defaults={"days": days, "is_active": is_active})
    audit(actor, "retention.changed", f"retention:{kind}", days=days, active=is_active)


def run_rules(*, seconds: float = 1800.0) -> dict[str, int]:
    """Treats what is too old, in transactions of at most BATCH rows, until done or out of time; the rest
    waits for the next night. Rows treated by kind."""
    until = time.monotonic() + seconds
    treated = {}
    for rule in RetentionRule.objects.filter(is_active=True):
        cut = timezone.now() - timedelta(days=rule.days)
        count = sum(_steps(rule.kind, cut, until))
        RetentionRule.objects.filter(pk=rule.pk).update(last_run_at=timezone.now(), last_count=count)
        if count:
            audit("system", "retention.run", f"retention:{rule.kind}", rows=count)
        treated[rule.kind] = count
    return treated


def _steps(kind: str, cut: datetime, until: float) -> Iterator[int]:
    for rows, data in _too_old(kind, cut):
        while time.monotonic() < until:
            step = _erase_silent(rows) if kind == PROFILE else _treat(rows, data)
            yield step
            if not step:
                break


def _too_old(kind: str, cut: datetime) -> Iterator[tuple[QuerySet[Model], PersonalData | None]]:
    if kind in LOGS:
        yield LOGS[kind]._base_manager.filter(at__lt=cut), None
        return
    if kind == UNCONFIRMED:
        yield OptIn._base_manager.filter(confirmed_at=None, expires_at__lt=cut), OptIn.personal_data
        return
    for model, data in declared():
        if data.kind != kind or not data.ages_by or (kind == PROFILE) != (model is Customer):
            continue
        rows = model._base_manager.filter(**{f"{data.ages_by}__lt": cut})
        if model is Customer:
            # Whoever did something since, or was merged, is not silent.
            recent = Q(events__occurred_at__gte=cut)
            rows = rows.filter(erased_at=None, merged_into=None).exclude(recent)
        elif data.at_erasure == AtErasure.ANONYMIZE:
            rows = _not_anonymous(rows, model, data)
        yield rows, data


def _not_anonymous(rows: QuerySet[Model], model: type[Model], data: PersonalData) -> QuerySet[Model]:
    left = Q(**{f"{data.path}__isnull": False}) if _has_null(model, data) else Q()
    for column, empty in data.clear.items():
        left |= Q(**{f"{column}__isnull": False}) if empty is None else ~Q(**{column: empty})
    return rows.filter(left)


def _has_null(model: type[Model], data: PersonalData) -> bool:
    return "__" not in data.path and bool(model._meta.get_field(data.path).null)


@transaction.atomic
def _treat(rows: QuerySet[Model], data: PersonalData | None) -> int:
    ids = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
    some = rows.model._base_manager.filter(pk__in=ids)
    if not ids:
        return 0
    if data is not None and data.at_erasure == AtErasure.ANONYMIZE:
        nobody = {data.path: None} if _has_null(rows.model, data) else {}
        return some.update(**nobody, **data.clear)
    if data is None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL bespoke.log_retention = 'on'")
    some.delete()
    return len(ids)


def _erase_silent(rows: QuerySet[Model]) -> int:
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:50])
    for customer_id in ids:
        carry_out(ask_erasure(customer_id, actor="retention").pk)
    return len(ids)
