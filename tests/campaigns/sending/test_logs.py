"""What a whole send leaves in the log: which campaign, chunk and delivery; about whom never."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import structlog
from django.conf import settings

from campaigns import services, tasks
from campaigns.models import Delivery, DeliveryStatus
from campaigns.sending import gate
from personalization.config.celery import app
from personalization.config.task_class import REQUEST_ID
from tests.config.test_logs import written  # noqa: F401

pytestmark = pytest.mark.django_db
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def everything(written: Lines) -> Iterator[Lines]:  # noqa: F811
    """Every line that the product can write, down to DEBUG."""
    root = logging.getLogger()
    level = root.level
    root.setLevel("DEBUG")
    structlog.contextvars.clear_contextvars()
    yield written
    root.setLevel(level)


@pytest.fixture
def sent_under_faults(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, everything: Lines
) -> tuple[Any, list[dict[str, Any]]]:
    make_customers(5, last_name="Lovelace", phone="+447700900123", traits={"note": "canarymark"})
    faults = {"c1@example.com": "5xx", "c2@example.com": "drop", "c3@example.com": "4xx"}
    sink.fault = lambda recipient, number: faults.get(recipient, "") if number >= 0 else ""
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    return run, everything()


def test_lines_name_campaign_run_chunk_and_delivery(sent_under_faults: Any) -> None:
    run, lines = sent_under_faults
    about = [line for line in lines if line["event"] in ("chunk_sent", "message_not_sent")]
    for line in about:
        assert (line["campaign"], line["run"]) == (run.campaign_id, run.pk)
        assert line["chunk"] == run.chunks.get().pk
    named = {line["delivery"]: line["status"] for line in about if line["event"] == "message_not_sent"}
    expected = run.deliveries.filter(status__in=(DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN))
    assert named == dict(expected.values_list("pk", "status"))
    assert sorted(named.values()) == ["failed", "failed", "unknown"]
    first = next(line for line in about if line["event"] == "chunk_sent")
    assert (first["sent"], first["failed"], first["unknown"], first["pending"]) == (2, 1, 1, 1)
    assert "delivery" not in first


def test_nobody_is_in_the_log_of_a_whole_send(sent_under_faults: Any) -> None:
    _run, lines = sent_under_faults
    text = json.dumps(lines)
    assert len(lines) >= 5
    for word in ("example.com", "c1@", "Name1", "Lovelace", "7700900123", "canarymark"):
        assert word not in text


def test_what_stops_a_chunk_names_the_message_it_stopped_at(
    sink: Any, make_customers: Any, make_campaign: Any, everything: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_customers(3)
    run = services.launch(make_campaign(), actor="test")
    second = Delivery.objects.filter(run=run).order_by("pk")[1]
    refusal = gate.Gate.refusal

    def lost(self: gate.Gate, row: Any, rest: Any) -> Any:
        if row.id == second.pk:
            raise gate.LeaseLost("the lease was taken over")
        return refusal(self, row, rest)

    monkeypatch.setattr(gate.Gate, "refusal", lost)
    tasks.send_chunk(run.chunks.get().pk)
    line = next(one for one in everything() if one["event"] == "chunk_given_back")
    assert (line["delivery"], line["chunk"]) == (second.pk, run.chunks.get().pk)
    assert line["task"] == "campaigns.tasks.send_chunk"


def test_a_task_knows_the_request_that_asked_for_it(everything: Lines) -> None:
    log = structlog.get_logger("test")

    @app.task(name="tests.speak")
    def speak() -> None:
        log.info("spoken")

    with structlog.contextvars.bound_contextvars(request_id="of-the-request"):
        speak.apply_async(queue="tests")
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        message = json.loads(broker.lpop("tests"))
    assert message["headers"][REQUEST_ID] == "of-the-request"
    speak.apply(headers=message["headers"])
    line = next(one for one in everything() if one["event"] == "spoken")
    assert (line["request_id"], line["task"]) == ("of-the-request", "tests.speak")
    assert structlog.contextvars.get_contextvars() == {}
