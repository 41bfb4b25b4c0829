"""Files of everything about a person: asked for, written by a worker, handed out, kept for a day."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from personalization.access.jobs import files
from personalization.access.jobs.row import UNDER_WAY, JobStatus
from personalization.access.jobs.work import Tell
from personalization.access.services import audit
from personalization.customers.models import Customer
from personalization.personal_data import Person
from personalization.privacy.export import write_zip
from personalization.privacy.models import PersonExport

PREFIX = "person"


@transaction.atomic
def ask_for_export(customer: Customer, *, actor: str) -> PersonExport:
    """One that waits for a worker, or the one under way."""
    Customer.objects.select_for_update().get(pk=customer.pk)
    if found := customer.person_exports.filter(status__in=UNDER_WAY).first():
        return found
    asked = PersonExport.objects.create(customer=customer, asked_by=actor[:200], status=JobStatus.QUEUED)
    audit(actor, "person_export.asked", f"customer:{customer.pk}")
    return asked


def make_export(asked: PersonExport, tell: Tell) -> dict[str, Any]:
    """The worker's part; answers the fields of the row. Raises Stopped."""
    with files.written(file_of(asked), attempt=asked.attempts) as fresh:
        with transaction.atomic():
            rows = write_zip(asked.customer, fresh, tell)
        tell(1.0)
    return {"rows": rows}


def file_of(asked: PersonExport) -> Path:
    return files.file_of(asked, prefix=PREFIX, suffix="zip")


def kept_exports(customer: Customer) -> QuerySet[PersonExport]:
    """The newest first; those under way too."""
    kept_from = timezone.now() - files.KEPT_FOR
    return customer.person_exports.filter(created_at__gte=kept_from).order_by("-pk")


def forget_old_exports() -> None:
    files.forget_old_files(PersonExport, prefix=PREFIX)


class PersonFiles:
    """The files of these exports; the rows say themselves what becomes of them."""

    name = "exports of persons"

    def export(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Copies, for a day, of all the rest."""
        return []

    def erase(self, person: Person) -> int:
        """What a worker still writes goes when it finds its row gone."""
        found = [file_of(asked) for asked in PersonExport.objects.filter(customer__in=person.customer_ids)]
        there = [file for file in found if file.exists()]
        for file in there:
            file.unlink(missing_ok=True)
        return len(there)
