"""The OpenAPI document is true: whatever it allows, and much that it does not, is answered as it says.

A short, seeded walk over every operation with generated calls. More, against a running server:
`schemathesis run http://127.0.0.1:8000/api/schema --header "Authorization: Bearer bsp_…"`.
"""

from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.config.wsgi import application
from personalization.customers.models import Customer
from tests.privacy.making import NOW, NUMBER, make_rows

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = 1


@pytest.fixture(autouse=True)
def _one_transaction() -> Iterator[None]:
    """A request's end would close the connection of the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def operations(db) -> list:
    schema = schemathesis.openapi.from_wsgi("/api/schema", application)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.fixture
def token(db) -> str:
    customer = Customer.objects.create(pk=NUMBER, external_id=str(NUMBER), created_at=NOW)
    make_rows(customer, "other", numbered=True)
    return create_key(name="everything", scopes=list(Scope))[1]


def failures(operations: list, headers: dict[str, str]) -> list[str]:
    found = []
    for operation in operations:

        @hypothesis.seed(20)
        @hypothesis.settings(
            max_examples=EXAMPLES, database=None, phases=[Phase.generate], deadline=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            ask()
        except Exception as error:  # each operation is to have its say
            found.append(f"{operation.label}: {str(error)[:600]}")
    return found


def test_every_operation_answers_as_the_document_says(operations: list, token: str) -> None:
    found = failures(operations, {"Authorization": f"Bearer {token}"})
    assert len(operations) > 140
    assert found == [], "\n\n".join(found)


def test_every_operation_refuses_strangers_as_the_document_says(operations: list) -> None:
    found = failures(operations, {})
    assert found == [], "\n\n".join(found)
