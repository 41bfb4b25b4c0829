"""A web process before its first visitor: what a decision needs is read, compiled and connected.

Else the first calls do it, for seconds, and all who come meanwhile get the default content.
"""

import gc
from collections.abc import Sequence
from threading import Thread

import structlog
from django.db import connections
from django.utils import timezone

from campaigns.onsite import answering, item_texts
from campaigns.onsite.deciding import decide
from campaigns.onsite.live import Live, live
from campaigns.onsite.visitors import Visitor, find_visitor
from personalization.customers.models import Customer
from recommender.algorithms._blas import stay_on_one
from recommender.inputs.moment import Moment

log = structlog.get_logger(__name__)
SECONDS = 20.0
CUSTOMERS = 5  # some are in a control group, which sees nothing that must be made


def warm_up(seconds: float = SECONDS) -> None:
    """Takes no longer than that. What fails or is slow is left to the first calls."""
    stay_on_one()
    worker = Thread(target=_warm_up, args=(seconds,), daemon=True, name="warm-up")
    worker.start()
    worker.join(seconds)
    # What is there now stays for good: collections need not walk over models and catalog again and again.
    gc.collect()
    gc.freeze()


def _warm_up(seconds: float) -> None:
    try:
        known = live()
        if not any(one.offers for one in known.placements.values()):
            return  # the decide API is not in use
        customers = list(Customer.objects.order_by("pk").values_list("external_id", flat=True)[:CUSTOMERS])
        # Once without the limits that a call has: a large catalog takes longer.
        rehearse(known, customers)
        item_texts.fill()
        answering.in_all_threads(lambda: rehearse(known, customers), seconds=seconds)
    except Exception as error:
        log.warning("not_warm", error=type(error).__name__)
    finally:
        connections.close_all()


def rehearse(known: Live, customer_ids: Sequence[str | None]) -> None:
    """Decides for some customers and for nobody; writes nothing."""
    now, keys = timezone.now(), list(known.placements)
    experiments = known.experiments(keys)
    for name in customer_ids:
        visitor = find_visitor(customer_id=name or "", experiments=experiments) if name else Visitor()
        decide(visitor, keys, known=known, moment=Moment(), now=now)
    decide(Visitor(), keys, known=known, moment=Moment(), now=now)
