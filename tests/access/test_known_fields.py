"""Every body of the API refuses fields it does not know: asked of every operation of the document."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.config.collection import operations
from personalization.customers.models import Customer
from tests.privacy.making import NOW, NUMBER, make_rows

CHANGING = {"post", "put", "patch"}


class Part(KnownFields, serializers.Serializer):
    amount = serializers.IntegerField()


class Body(KnownFields, serializers.Serializer):
    number = serializers.IntegerField(read_only=True)
    campaign = serializers.CharField()
    parts = Part(many=True, required=False)


def errors_of(body: dict[str, Any]) -> dict[str, Any]:
    serializer = Body(data=body)
    assert not serializer.is_valid()
    return serializer.errors


def test_a_misspelt_field_is_told_with_the_one_that_was_meant() -> None:
    assert errors_of({"campaign": "a", "campagn": "b"}) == {
        "campagn": ["There is no such field. Did you mean “campaign”?"]
    }


def test_beside_what_resembles_nothing_stands_what_there_is() -> None:
    assert errors_of({"campaign": "a", "x": 1}) == {
        "x": ["There is no such field. There are: campaign, parts."]
    }


def test_unknown_and_missing_fields_are_told_together() -> None:
    assert set(errors_of({"campagn": "b"})) == {"campaign", "campagn"}


def test_a_misspelt_field_of_an_object_in_a_list_is_told_with_its_place() -> None:
    wrong = errors_of({"campaign": "a", "parts": [{"amount": 1}, {"amount": 1, "amuont": 2}]})
    assert wrong["parts"][1] == {"amuont": ["There is no such field. Did you mean “amount”?"]}


def test_what_was_got_may_be_sent_back() -> None:
    serializer = Body(data={"number": 3, "campaign": "a"})
    assert serializer.is_valid()
    assert serializer.validated_data == {"campaign": "a"}


def bodies() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Path, method, and the schema of each JSON body of ours that is an object with named fields."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None and method in CHANGING and path.startswith("/api/v1/"):
            name = content["schema"].get("$ref", "").rpartition("/")[2]
            yield path, method, schemas.get(name, content["schema"]), schemas


def open_parts(schema: dict[str, Any], schemas: dict[str, Any], where: str = "") -> Iterator[str]:
    """Where an object with named fields takes others, too."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema, where = schemas[name], f"{where}<{name}>"
    if schema.get("properties") and schema.get("additionalProperties") is not False:
        yield where
    for name, part in schema.get("properties", {}).items():
        if not part.get("readOnly"):
            yield from open_parts(part, schemas, f"{where}/{name}")
    for part in [schema.get("items"), *schema.get("allOf", ()), *schema.get("oneOf", ())]:
        if isinstance(part, dict):
            yield from open_parts(part, schemas, where)


def test_every_body_and_every_object_in_one_is_closed_in_the_document() -> None:
    found = [(f"{m} {p}", list(open_parts(schema, schemas))) for p, m, schema, schemas in bodies()]
    assert len(found) > 70
    assert [one for one in found if one[1]] == []


@pytest.mark.django_db
def test_every_call_with_a_misspelt_field_is_refused_and_names_it() -> None:
    customer = Customer.objects.create(pk=NUMBER, external_id=str(NUMBER), created_at=NOW)
    make_rows(customer, "other", numbered=True)
    client = Client(headers={"Authorization": f"Bearer {create_key(name='all', scopes=list(Scope))[1]}"})
    silent = []
    for path, method, schema, _schemas in bodies():
        if not schema.get("properties"):
            continue
        address = re.sub(r"\{\w+\}", str(NUMBER), path)
        answer = getattr(client, method)(address, {"mispelt": 1}, content_type="application/json")
        told = [one["pointer"] for one in answer.json().get("errors", [])]
        # What is not there is said first.
        if answer.status_code != 404 and (answer.status_code != 400 or "/mispelt" not in told):
            silent.append((method, path, answer.status_code, told))
    assert silent == []
