"""The life of a request: asked, carried out, certified."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from personalization.access.services import audit
from personalization.customers.addresses import address_hash
from personalization.customers.errors import UnknownCustomer
from personalization.customers.models import Customer
from personalization.privacy import backup_keys, erasure, remembered
from personalization.privacy.declared import declared
from personalization.privacy.leftovers import find_leftovers
from personalization.privacy.models import PrivacyRequest, RequestKind, RequestStatus
from personalization.privacy.person import describe, subject_hashes

TIME_LIMIT = timedelta(days=30)


@transaction.atomic
def ask_erasure(customer_id: int, *, actor: str) -> PrivacyRequest:
    """Notes the wish; a task carries it out. Asked twice it is the same request. Raises UnknownCustomer."""
    customer = Customer.objects.select_for_update().filter(pk=customer_id, erased_at=None).first()
    if customer is None:
        raise UnknownCustomer
    waiting = PrivacyRequest.objects.filter(
        customer=customer, kind=RequestKind.ERASURE, status=RequestStatus.WAITING
    ).first()
    if waiting is not None:
        return waiting
    audit(actor, "erasure.asked", f"customer:{customer_id}")
    return _new_request(customer, RequestKind.ERASURE, actor)


@transaction.atomic
def note_export(customer: Customer, *, actor: str) -> PrivacyRequest:
    """An export that was handed out."""
    request = _new_request(customer, RequestKind.ACCESS, actor)
    request.status, request.done_at = RequestStatus.DONE, request.asked_at
    request.save(update_fields=["status", "done_at"])
    audit(actor, "customer.exported", f"customer:{customer.pk}")
    return request


def carry_out(request_id: int) -> None:
    """Erases and certifies. Repeated, or run twice at once, it does no harm."""
    with transaction.atomic():
        request = (
            PrivacyRequest.objects.select_for_update()
            .filter(pk=request_id, kind=RequestKind.ERASURE, status=RequestStatus.WAITING)
            .first()
        )
        if request is None:
            return
        erased = erasure.erase(request.customer_id) if request.customer_id else None
        if erased is None:
            erased = erasure.Erased()
        left = find_leftovers(erased.needles)
        request.customer = None
        request.status = RequestStatus.ATTENTION if left else RequestStatus.DONE
        request.done_at = timezone.now()
        request.certificate = _certificate(request, erased, left)
        request.certificate_sha256 = document_hash(request.certificate)
        request.save()
        # In the sealed log, so that nobody can change the certificate and its hash together.
        audit(
            "system", "erasure.done", f"privacy request:{request.pk}",
            left=sorted(left), sha256=request.certificate_sha256,
        )  # fmt: skip


def erase_again(*, actor: str) -> int:
    """After a backup was put back: the profiles that were erased since it was made, and are here again."""
    count = 0
    for customer_id in remembered.returned():
        carry_out(ask_erasure(customer_id, actor=actor).pk)
        count += 1
    return count


def waiting_ids() -> list[int]:
    waiting = PrivacyRequest.objects.filter(kind=RequestKind.ERASURE, status=RequestStatus.WAITING)
    return list(waiting.order_by("asked_at").values_list("pk", flat=True)[:100])


def find_requests(text: str) -> list[PrivacyRequest]:
    """Those of the person with this id, e-mail or phone, also after their data is gone."""
    hashed = address_hash("subject", text)
    return list(PrivacyRequest.objects.filter(subject_hashes__contains=[hashed]))


def document_hash(document: dict[str, Any]) -> str:
    """SHA-256 of the JSON with sorted keys and no spaces: anybody can compute it again."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _new_request(customer: Customer, kind: str, actor: str) -> PrivacyRequest:
    now = timezone.now()
    return PrivacyRequest.objects.create(
        kind=kind, customer=customer, subject_hashes=subject_hashes(describe(customer)), asked_at=now,
        asked_by=actor[:200], due_at=now + TIME_LIMIT,
    )  # fmt: skip


def _certificate(request: PrivacyRequest, erased: erasure.Erased, left: dict[str, int]) -> dict[str, Any]:
    until = backup_keys.readable_until()
    return {
        "request": request.pk,
        "asked_at": request.asked_at.isoformat(),
        "erased_at": (request.done_at or timezone.now()).isoformat(),
        **erasure.as_document(erased),
        "tables_treated": sorted(model._meta.db_table for model, _data in declared()),
        "searched_afterwards": {"texts": len(erased.needles), "rows_left": left},
        "sealed_backups_readable_until": until.isoformat() if until else None,
    }
