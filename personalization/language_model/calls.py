"""Asking the language model: refused before it costs too much, carried out by a worker, every word kept.

No personal data goes out: questions are made of descriptions of segments, facts about items and what staff
wrote, and one with an e-mail address or a phone number in it is refused.
"""

import hashlib
import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from personalization.language_model import budget
from personalization.language_model.client import complete
from personalization.language_model.errors import (
    ModelOff,
    ModelTrouble,
    OverBudget,
    UnfitQuestion,
    Unusable,
)
from personalization.language_model.models import ONLY, Call, CallStatus, Endpoint
from personalization.language_model.purposes import purposes

MAX_QUESTION = 40_000  # characters
CACHED_FOR = timedelta(days=30)
GRACE = timedelta(seconds=60)  # after the longest wait, before a worker counts as dead
QUEUED = timedelta(seconds=20)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
PHONE = re.compile(r"(?<![\w.,])\+\d[\d\s().-]{7,}\d|(?<![\d.,])1[3-9]\d{9}(?!\d)")


def endpoint_in_use() -> Endpoint | None:
    return Endpoint.objects.filter(pk=ONLY, is_active=True).first()


def ask(
    purpose: str, *, messages: list[dict[str, str]], question: dict[str, Any], max_tokens: int, actor: str
) -> Call:
    """A call for a worker to carry out (`carry_out`); one that was answered before is answered at once.

    Raises ModelOff, UnfitQuestion (too long, an e-mail address or phone number in it), OverBudget.
    """
    text = "\n".join(one["content"] for one in messages)
    if len(text) > MAX_QUESTION:
        raise UnfitQuestion(_("This is too long to be asked."))
    if ADDRESS.search(text) or PHONE.search(text):
        raise UnfitQuestion(
            _("An e-mail address or a phone number stands in it: take it out, personal data is not sent.")
        )
    with transaction.atomic():
        # One after the other: two calls together must not spend what only one of them may.
        endpoint = Endpoint.objects.select_for_update().filter(pk=ONLY, is_active=True).first()
        if endpoint is None:
            raise ModelOff(_("An administrator can set one up under “Language model”."))
        call = Call(
            purpose=purpose, actor=actor[:200], language=translation.get_language() or "en",
            question=question, messages=messages, max_tokens=max_tokens, model=endpoint.model,
            digest=_digest(endpoint, purpose, messages, max_tokens),
        )  # fmt: skip
        known = Call.objects.filter(
            digest=call.digest,
            status=CallStatus.DONE,
            is_cached=False,
            asked_at__gt=call.asked_at - CACHED_FOR,
        ).first()
        if known:
            call.is_cached, call.answer = True, known.answer
        else:
            call.cost = budget.worst_case(endpoint, messages, max_tokens=max_tokens)
            _check_budget(endpoint, call.cost)
        call.save()
    if call.is_cached:
        _take_in(call)
    return call


def _digest(endpoint: Endpoint, purpose: str, messages: list[dict[str, str]], max_tokens: int) -> str:
    told = [endpoint.url, endpoint.model, purpose, messages, max_tokens]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _check_budget(endpoint: Endpoint, worst: Decimal) -> None:
    left = endpoint.monthly_cap - budget.spent()
    if worst > left:
        text = _("It might cost %(worst)s, and %(left)s of this month's %(cap)s are left.")
        places = {"worst": _money(worst), "left": _money(max(left, Decimal(0))), "cap": endpoint.monthly_cap}
        raise OverBudget(text % places)


def _money(amount: Decimal) -> str:
    return f"{amount:.4f}"


def carry_out(pk: int) -> bool:
    """Asks and takes the answer in, once; False when another was at it. Never raises for what the server
    does: the row says it."""
    endpoint = endpoint_in_use()
    seconds = endpoint.timeout_seconds if endpoint else 0
    lease = timezone.now() + timedelta(seconds=seconds) + GRACE
    rows = Call.objects.filter(pk=pk, status=CallStatus.QUEUED)
    if not rows.update(status=CallStatus.RUNNING, lease_until=lease):
        return False
    call = Call.objects.get(pk=pk)
    with translation.override(call.language):
        try:
            if endpoint is None or endpoint.model != call.model:
                call.cost = Decimal(0)
                raise ModelTrouble(_("The language model was switched off or changed meanwhile."))
            reply = complete(endpoint, call.messages, max_tokens=call.max_tokens)
        except ModelTrouble as error:
            _end(call, CallStatus.FAILED, trouble=str(error))
            return True
        call.answer, call.tokens_in, call.tokens_out = reply.text, reply.tokens_in, reply.tokens_out
        if reply.tokens_in is not None and reply.tokens_out is not None:
            call.cost = budget.cost(endpoint, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
        call.save(update_fields=["answer", "tokens_in", "tokens_out", "cost"])
        _take_in(call)
    return True


def _take_in(call: Call) -> None:
    try:
        with transaction.atomic():
            call.result = purposes()[call.purpose].receive(call)
            _end(call, CallStatus.DONE)
    except Unusable as error:
        _end(call, CallStatus.REFUSED, trouble=str(error))


def _end(call: Call, status: CallStatus, *, trouble: str = "") -> None:
    call.status, call.trouble, call.ended_at, call.lease_until = status, trouble[:500], timezone.now(), None
    call.save(update_fields=["status", "trouble", "ended_at", "lease_until", "result", "cost"])


def waiting_calls(now: datetime | None = None) -> list[int]:
    """Calls whose task was lost. One whose worker died has failed: it may have been paid, and is not paid
    twice."""
    now = now or timezone.now()
    dead = Call.objects.filter(status=CallStatus.RUNNING, lease_until__lt=now)
    dead.update(
        status=CallStatus.FAILED, ended_at=now, lease_until=None,
        trouble=_("The worker that asked was ended. Ask again."),
    )  # fmt: skip
    waiting = Call.objects.filter(Q(status=CallStatus.QUEUED), asked_at__lt=now - QUEUED)
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:50])
