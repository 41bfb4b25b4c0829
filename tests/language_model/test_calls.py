"""Asking: off by default, within the budget, the same question once, every word kept, nobody named."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from personalization.language_model import budget, calls
from personalization.language_model.errors import ModelOff, OverBudget, UnfitQuestion, Unusable
from personalization.language_model.models import Call, CallStatus, Endpoint
from personalization.language_model.purposes import Purpose, purposes
from tests.language_model.conftest import completion

pytestmark = pytest.mark.django_db
ASKED = [{"role": "user", "content": "Say hello."}]


class Echo(Purpose):
    name = "echo"

    def receive(self, call: Call) -> dict[str, Any]:
        if call.answer == "useless":
            raise Unusable("Of no use.")
        return {"echo": call.answer}


@pytest.fixture(autouse=True)
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(purposes(), "echo", Echo())


@pytest.fixture
def active(endpoint: Endpoint, model_server: Any) -> Endpoint:
    model_server.answer = completion("Hello!")
    endpoint.save()
    return endpoint


def ask(content: str = "Say hello.", *, max_tokens: int = 50) -> Call:
    messages = [{"role": "user", "content": content}]
    return calls.ask("echo", messages=messages, question={}, max_tokens=max_tokens, actor="user:kim")


def carry_out(call: Call) -> Call:
    assert calls.carry_out(call.pk)
    call.refresh_from_db()
    return call


def test_nothing_is_asked_until_an_endpoint_is_switched_on(endpoint: Endpoint, model_server: Any) -> None:
    with pytest.raises(ModelOff):
        ask()
    endpoint.is_active = False
    endpoint.save()
    with pytest.raises(ModelOff):
        ask()
    assert (Call.objects.count(), model_server.asked) == (0, [])


def test_an_answer_is_taken_in_and_logged_with_what_it_cost(active: Endpoint) -> None:
    call = ask()
    # 10 bytes and 20 around them at 3, 50 tokens at 15 a million.
    assert (call.status, call.cost) == (CallStatus.QUEUED, Decimal(30 * 3 + 50 * 15) / 1_000_000)
    call = carry_out(call)
    assert (call.status, call.answer, call.result) == (CallStatus.DONE, "Hello!", {"echo": "Hello!"})
    assert (call.messages, call.model, call.actor) == (ASKED, "m", "user:kim")
    # 100 tokens at 3 and 20 at 15 a million.
    assert (call.tokens_in, call.tokens_out, call.cost) == (100, 20, Decimal("0.0006"))
    assert budget.spent() == Decimal("0.0006")


def test_a_call_is_carried_out_once(active: Endpoint, model_server: Any) -> None:
    call = carry_out(ask())
    assert not calls.carry_out(call.pk)
    assert len(model_server.asked) == 1


def test_the_same_question_is_answered_from_the_cache_at_no_cost(active: Endpoint, model_server: Any) -> None:
    carry_out(ask())
    again = ask()
    assert (again.status, again.is_cached, again.cost) == (CallStatus.DONE, True, Decimal(0))
    assert again.result == {"echo": "Hello!"}
    assert not ask("Say goodbye.").is_cached
    active.model = "another"
    active.save()
    assert not ask().is_cached
    assert len(model_server.asked) == 1


def test_an_old_or_useless_answer_is_not_taken_again(active: Endpoint, model_server: Any) -> None:
    model_server.answer = completion("useless")
    call = carry_out(ask())
    assert (call.status, call.trouble, call.cost) == (CallStatus.REFUSED, "Of no use.", Decimal("0.0006"))
    assert not ask().is_cached
    model_server.answer = completion("Hello!")
    carry_out(ask("Old?"))
    Call.objects.update(asked_at=timezone.now() - timedelta(days=31))
    assert not ask("Old?").is_cached


def test_what_might_cost_more_than_is_left_is_not_asked(active: Endpoint, model_server: Any) -> None:
    active.monthly_cap = Decimal("0.01")
    active.save()
    with pytest.raises(OverBudget, match=r"0\.0151"):
        ask(max_tokens=1_000)  # 30 × 3 + 1,000 × 15 a million are 0.01509
    assert Call.objects.count() == 0
    first = ask(max_tokens=400)  # 0.00609 set aside
    with pytest.raises(OverBudget, match=r"0\.0039"):
        ask("Another.", max_tokens=400)
    carry_out(first)  # cost 0.0006 in the end
    ask("Another.", max_tokens=400)


def test_the_worst_case_stays_when_the_server_does_not_say_what_it_took(
    active: Endpoint, model_server: Any
) -> None:
    model_server.answer = completion("Hello!", usage=None)
    call = ask()
    assert carry_out(call).cost == Decimal(30 * 3 + 50 * 15) / 1_000_000


def test_what_failed_may_have_been_paid(active: Endpoint, model_server: Any) -> None:
    model_server.status = 500
    call = carry_out(ask())
    assert (call.status, call.cost) == (CallStatus.FAILED, Decimal(30 * 3 + 50 * 15) / 1_000_000)
    assert "HTTP 500" in call.trouble


def test_each_month_begins_anew(active: Endpoint) -> None:
    Call.objects.create(
        purpose="echo", messages=[], max_tokens=1, model="m", cost=5,
        asked_at=datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC),
    )  # fmt: skip
    assert budget.spent(datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)) == 5
    assert budget.spent(datetime(2026, 11, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    "text", ["Write to ann@example.com", "Call +44 20 7946 0958", "拨打 13812345678", "x" * 50_000]
)
def test_a_question_with_personal_data_or_too_long_is_refused(active: Endpoint, text: str) -> None:
    with pytest.raises(UnfitQuestion):
        ask(text)
    assert Call.objects.count() == 0


def test_one_that_was_switched_off_meanwhile_is_not_asked_and_costs_nothing(
    active: Endpoint, model_server: Any
) -> None:
    call = ask()
    Endpoint.objects.update(is_active=False)
    call = carry_out(call)
    assert (call.status, call.cost, model_server.asked) == (CallStatus.FAILED, 0, [])


def test_lost_calls_are_found_and_those_of_a_dead_worker_end(active: Endpoint) -> None:
    call = ask()
    now = timezone.now()
    assert calls.waiting_calls(now) == []
    assert calls.waiting_calls(now + timedelta(seconds=30)) == [call.pk]
    Call.objects.update(status=CallStatus.RUNNING, lease_until=now)
    assert calls.waiting_calls(now + timedelta(seconds=1)) == []
    call.refresh_from_db()
    assert (call.status, bool(call.trouble)) == (CallStatus.FAILED, True)


def test_the_key_is_encrypted_at_rest(active: Endpoint) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM language_model_endpoint")
        assert "sk-test-key" not in cursor.fetchone()[0]
