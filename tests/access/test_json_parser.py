"""Bodies that no row can hold are the caller's mistake: 400, never 500."""

import pytest
from django.test import Client
from django.utils import timezone

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "body",
    [
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '{"name": "x", "seed": 1e999, "kind": "clusters"}',
        '{"name": NaN}',
        '{"name": "a\\u0000b"}',
        '{"kind": "\\ud800"}',
        '{"\\udc00": 1}',
        '{"name": ["\\ud800"]}',
        "{",
    ],
    ids=["deep", "infinite", "nan", "nul", "surrogate", "name of a member", "nested", "cut off"],
)
def test_what_cannot_be_kept_is_refused_with_a_problem(client: Client, body: str) -> None:
    key = create_key(name="k", scopes=[Scope.SEGMENTS_WRITE])[1]
    answer = client.post(
        "/api/v1/discoveries", body, content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_each_broken_text_is_named_with_its_place(client: Client) -> None:
    key = create_key(name="k", scopes=[Scope.SEGMENTS_WRITE])[1]
    body = '{"name": "a\\u0000", "a/b": ["x", "\\ud800"]}'
    answer = client.post(
        "/api/v1/discoveries", body, content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/name", "/a~1b/1"}


def test_a_pair_of_surrogates_is_one_character(client: Client) -> None:
    Customer.objects.create(external_id="ada", created_at=timezone.now())
    key = create_key(name="k", scopes=[Scope.CUSTOMERS_WRITE])[1]
    answer = client.patch(
        "/api/v1/customers/ada", '{"first_name": "\\ud83d\\ude00"}', content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.json()["first_name"] == "😀"
