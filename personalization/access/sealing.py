"""The audit log, sealed: each stretch of entries gets a hash that is chained to the one before.

A trigger of the database refuses to change or remove entries; who gets around it (the owner of the database
can) is found by `broken_seals`. Entries are sealed when they are ten minutes old, when the transactions that
wrote them have long ended: a chain over each single entry would make all writers wait for one another.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from personalization.access.models import AuditEntry, AuditSeal, PersonalRead

LOGS: dict[str, Any] = {"audit": AuditEntry, "reads": PersonalRead}
AGE = timedelta(minutes=10)
BATCH = 10_000


@transaction.atomic
def seal_logs() -> int:
    """Seals what is old enough; the number of new seals. Two at once wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE access_auditseal IN SHARE ROW EXCLUSIVE MODE")
    return sum(_seal(log) for log in LOGS)


def _seal(log: str) -> int:
    latest = AuditSeal.objects.filter(log=log).order_by("-last_id").first()
    start = latest.last_id if latest else 0
    old = LOGS[log].objects.filter(pk__gt=start, at__lt=timezone.now() - AGE).order_by("pk")
    rows = list(old.values()[:BATCH])
    if not rows:
        return 0
    AuditSeal.objects.create(
        log=log, first_id=start + 1, last_id=rows[-1]["id"], entries=len(rows),
        sha256=_hash(latest.sha256 if latest else "", rows),
    )  # fmt: skip
    return 1


def broken_seals() -> list[AuditSeal]:
    """Seals whose entries were changed, removed or added to since, or whose chain was cut.

    The oldest seals may be gone with their entries (retention): the chain is then followed from the first
    one left, whose own predecessor is not known any more.
    """
    broken = []
    for log, model in LOGS.items():
        before: AuditSeal | None = None
        for seal in AuditSeal.objects.filter(log=log).order_by("last_id"):
            is_first = before is None and seal.first_id > 1
            rows = list(model.objects.filter(pk__range=(seal.first_id, seal.last_id)).order_by("pk").values())
            whole = _hash(before.sha256 if before else "", rows) == seal.sha256
            joined = before is None or before.last_id + 1 == seal.first_id
            if len(rows) != seal.entries or not joined or not (whole or is_first):
                broken.append(seal)
            before = seal
    return broken


def _hash(previous: str, rows: list[dict[str, Any]]) -> str:
    digest = hashlib.sha256(previous.encode())
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, default=str, ensure_ascii=False).encode())
    return digest.hexdigest()
