"""Opens and closes the demo shop. Everything it makes is recognized by the ids it gives (`demo-…`)."""

import os
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from personalization.access import services as access
from personalization.access.models import ApiKey, Scope
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.demo import clearing, furnishing, loading
from personalization.demo.world import PREFIX, SEED, World, build_world
from personalization.events.models import Event

ACTOR = "demo"
KEY_NAME = "Demo shop"


def is_loaded() -> bool:
    return Customer.objects.filter(external_id__startswith=PREFIX).exists()


def load_shop(world: World | None = None, *, now: datetime | None = None) -> loading.Loaded | None:
    """The whole shop in one transaction: a killed load leaves nothing. None when it is there already."""
    if is_loaded():
        if read_key() is None:  # the data folder is new, the database is not
            keep_key(_new_key())
        return None
    world = world or build_world(seed=SEED)
    now = now or timezone.now()
    with transaction.atomic():
        loaded = loading.load_world(world, now=now)
        furnishing.furnish(actor=ACTOR)
        token = _new_key()
        access.audit(actor=ACTOR, action="demo.loaded", target="demo", customers=loaded.customers)
    keep_key(token)
    loading.analyze()
    return loaded


def _new_key() -> str:
    _, token = access.create_key(name=KEY_NAME, scopes=[Scope.INGEST])
    return token


def key_path() -> Path:
    return settings.DATA_DIR / "demo.key"


def keep_key(token: str) -> None:
    """For the simulated customers' browsers; readable by its owner only."""
    path = key_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(token)


def read_key() -> str | None:
    """None before the shop was loaded into this data folder."""
    return key_path().read_text().strip() if key_path().is_file() else None


@transaction.atomic
def remove_shop() -> int:
    """Deletes what the demo made and sent; answers how many customers there were.

    What staff made themselves stays, without these customers.
    """
    customers = Customer.objects.filter(external_id__startswith=PREFIX)
    n = customers.count()
    clearing.clear_furniture(actor=ACTOR)
    Event.objects.filter(customer_id__in=customers.values("pk")).delete()
    customers.delete()
    Item.objects.filter(external_id__startswith=PREFIX).delete()
    for key in ApiKey.objects.filter(name=KEY_NAME, revoked_at=None):
        access.revoke_key(key, actor=ACTOR)
    access.audit(actor=ACTOR, action="demo.removed", target="demo", customers=n)
    key_path().unlink(missing_ok=True)
    return n
