"""The gate before each message."""

import time
from typing import Any

import pytest

from campaigns import ledger, services
from campaigns.models import SkipReason
from campaigns.sending import context
from campaigns.sending.gate import Gate
from personalization.customers.services import suppress

pytestmark = pytest.mark.django_db


def test_who_comes_after_somebody_refused_is_judged_alone(make_customers: Any, make_campaign: Any) -> None:
    """Also where nothing holds anybody back, as in a test."""
    first, _second = make_customers(2)
    run = services.launch(make_campaign(), actor="test")
    claim = ledger.claim(run.chunks.get().pk, owner="a/b/c", journal="a/b")
    assert claim is not None
    suppress(channel="email", address=first.email, reason="complained")
    gate = Gate(claim, context.run_content(run.pk), deadline_from=time.monotonic())
    rows = ledger.pending(claim.chunk_id)
    assert set(gate.reserve(rows, None)) == {rows[0].id}
    refused = gate.refusal(rows[0], rows)
    assert refused is not None and refused.reason == SkipReason.SUPPRESSED
    assert gate.refusal(rows[1], rows[1:]) is None
