"""The OpenAPI document: valid, complete, and true about who may call what."""

import re

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(scope="module")
def document() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_document_is_valid_openapi_3_1(document: dict) -> None:
    validate_schema(document)
    assert document["openapi"].startswith("3.1")


def test_no_two_components_share_a_name() -> None:
    """The later one would silently describe both: generated clients would then be wrong about one of them."""
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    assert list(GENERATOR_STATS._warn_cache) == []
    assert list(GENERATOR_STATS._error_cache) == []


def test_every_operation_says_which_scope_it_needs(document: dict) -> None:
    silent = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and "Needs the scope" not in operation.get("description", "")
    ]
    assert silent == []


@pytest.mark.django_db
def test_every_address_is_closed_without_a_key(document: dict, client: Client) -> None:
    for path, operations in document["paths"].items():
        address = "/" + re.sub(r"\{\w+\}", "1", path.lstrip("/"))
        for method in operations:
            if method in ("get", "post", "put", "patch", "delete"):
                response = getattr(client, method)(address, content_type="application/json")
                assert response.status_code == 401, f"{method} {address}: {response.status_code}"
                assert response["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_the_browsable_documentation_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    assert "cdn" not in page
    assert 'src="http' not in page


@pytest.mark.django_db
def test_the_browsable_documentation_needs_no_inline_script(client: Client) -> None:
    """The content security policy refuses them: the page would stay blank."""
    page = client.get("/api/docs").content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", page) == []
