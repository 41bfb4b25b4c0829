"""Traces and figures as a collector gets them over a socket: OTLP, protobuf."""

from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from django.test import Client

from campaigns import services, tasks
from personalization import tracing
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.config import telemetry
from personalization.config.celery import app
from tests.config.collector import Collector, attributes

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.django_db
def test_a_request_is_a_span_of_the_callers_trace_by_its_route(collector: Collector) -> None:
    token = create_key(name="shop", scopes=list(Scope))[1]
    headers = {"authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = Client(headers=headers).get("/api/v1/customers/ada-lovelace?q=lovelace")
    telemetry.stop()
    (span,) = collector.spans()
    about = attributes(span)
    assert span.name == "GET api/v1/customers/<str:external_id>"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert about["http.route"] == span.name.removeprefix("GET ")
    assert about["http.response.status_code"] == answer.status_code == 404
    assert about["bespoke.request_id"] == answer["X-Request-Id"]
    assert about["bespoke.sql.count"] >= 2 and about["bespoke.sql.seconds"] > 0
    (point,) = collector.figures()["http.server.request.duration"]
    assert (point.count, attributes(point)["http.response.status_code"]) == (1, 404)
    assert b"lovelace" not in collector.raw


@pytest.mark.django_db(transaction=True)
def test_a_trace_leads_from_the_request_through_the_worker_to_the_mail_server(
    collector: Collector,
    sink: Any,
    make_customers: Any,
    make_campaign: Any,
    client: Client,
) -> None:
    make_customers(3)
    with tracing.span("request", {}):
        run = services.launch(make_campaign(), actor="test")
        tasks.wake()
    with start_worker(app, pool="solo", queues=["default", "send"], perform_ping_check=False):
        for _ in range(100):
            if len(sink.accepted) == 3:
                break
            sink.closing.wait(0.1)
    telemetry.stop()
    spans = {span.span_id: span for span in collector.spans()}
    (chunk,) = [span for span in spans.values() if span.name == "send chunk"]
    messages = [span for span in spans.values() if span.name == "hand over message"]
    assert ways(messages, spans) == {
        ("hand over message", "send chunk", "campaigns.tasks.send_chunk", "campaigns.tasks.tick", "request")
    }
    assert attributes(chunk)["bespoke.run"] == run.pk
    deliveries = set(run.deliveries.values_list("pk", flat=True))
    assert {attributes(span)["bespoke.delivery"] for span in messages} == deliveries
    assert sum(p.as_int for p in collector.figures()["bespoke.messages"]) == 3
    assert {attributes(p)["task"] for p in collector.figures()["bespoke.task.duration"]} >= {
        "campaigns.tasks.tick", "campaigns.tasks.send_chunk",
    }  # fmt: skip
    for word in (b"example.com", b"Name0", b"Spring"):
        assert word not in collector.raw


def ways(spans: list[Any], by_id: dict[bytes, Any]) -> set[tuple[str, ...]]:
    """The names from each span up to the root of its trace."""
    found = set()
    for span in spans:
        names = [span.name]
        while span.parent_span_id:
            span = by_id[span.parent_span_id]
            names.append(span.name)
        found.add(tuple(names))
    return found


def test_an_error_leaves_its_type_and_not_its_words(collector: Collector) -> None:
    with pytest.raises(ValueError, match="Ada"), tracing.span("work", {}):
        raise ValueError("Ada Lovelace has no address")
    telemetry.stop()
    (span,) = collector.spans()
    assert attributes(span) == {"error.type": "ValueError"}
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert b"Lovelace" not in collector.raw


def test_without_an_address_nothing_is_measured(settings: Any) -> None:
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = ""
    telemetry.start("web")
    assert not tracing.is_on()
    assert tracing.span("one", {}) is tracing.span("another", {})
    assert "personalization.config.telemetry.TracingMiddleware" not in settings.MIDDLEWARE
