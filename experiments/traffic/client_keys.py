"""Keys with which apps and websites read what they must know to decide; they open nothing else."""

import secrets

from django.db import transaction
from django.utils import timezone

from experiments.models import ClientKey
from personalization.access.models import User
from personalization.access.services import audit

MARK = "sdk-"


@transaction.atomic
def create_client_key(*, name: str, created_by: User | None, actor: str) -> ClientKey:
    key = ClientKey.objects.create(name=name, key=f"{MARK}{secrets.token_urlsafe(18)}", created_by=created_by)
    audit(actor, "client_key.created", f"client_key:{key.pk}")
    return key


@transaction.atomic
def revoke_client_key(key: ClientKey, *, actor: str) -> None:
    """Clients that use it get nothing new from now on; what they loaded before, they keep."""
    if ClientKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit(actor, "client_key.revoked", f"client_key:{key.pk}")


def is_live(key: str) -> bool:
    if not key.startswith(MARK) or len(key) > 64 or "\0" in key:
        return False
    return ClientKey.objects.filter(key=key, revoked_at=None).exists()
