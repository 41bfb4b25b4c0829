"""Logs: which request a line is about, and about whom never."""

import io
import json
import logging

import pytest
from django.db import IntegrityError, connection
from django.test import Client

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.config import logs

MARK = "canarymark"


@pytest.fixture
def written():
    """What the product's own handler writes, as production formats it."""
    logs.configure(json=True)
    root = logging.getLogger()
    handler = next(one for one in root.handlers if one.get_name() == "stderr")
    stream, before = io.StringIO(), handler.stream
    handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(before)


@pytest.mark.django_db
def test_a_line_names_the_request_that_it_is_about(written, client: Client) -> None:
    answer = client.get("/api/v1/nothing")
    line = next(one for one in written() if one["logger"] == "django.request")
    assert line["request_id"] == answer["X-Request-Id"]


@pytest.mark.django_db
def test_nobody_is_named_by_addresses_or_ids_in_paths(written) -> None:
    token = create_key(name="shop", scopes=list(Scope))[1]
    client = Client(headers={"authorization": f"Bearer {token}"})
    client.get(f"/api/v1/customers/{MARK}")
    client.get(f"/api/v1/customers/{MARK}/timeline", {"q": MARK})
    client.post("/v1/track", {"userId": MARK, "event": 3}, content_type="application/json")
    logging.getLogger("anything").warning("%s@lovelace.example was refused", MARK)
    assert len(written()) >= 3
    assert MARK not in json.dumps(written())


@pytest.mark.django_db
def test_what_the_database_tells_of_a_row_is_not_passed_on(written) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO customers_customer (first_name, traits) VALUES (%s, '{}')", [MARK])
    except IntegrityError:
        logging.getLogger("anything").exception("A write failed")
    (line,) = written()
    assert "IntegrityError" in line["exception"] and "not-null" in line["exception"]
    assert MARK not in json.dumps(line)


def test_a_collector_that_is_down_is_told_by_what_is_lost_and_not_by_each_new_try(written) -> None:
    exporter = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    exporter.warning("Transient error, retrying in 1s")
    exporter.error("Failed to export spans batch")
    assert [line["event"] for line in written()] == ["Failed to export spans batch"]
