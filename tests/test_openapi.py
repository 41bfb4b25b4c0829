"""The OpenAPI document: valid, complete, and true about who may call what; the collection made from it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.config.collection import example, make_collection
from personalization.config.collection import operations as operations_of

OURS = ("/api/v1/", "/v1/")
# Experiment clients have errors of their own, as GrowthBook and OFREP define them.
CLIENTS = ("/api/features/", "/ofrep/")
OPEN = ("/healthz", "/readyz", "/metrics")
# Pages, what messages link to, files, and the document itself.
FOR_PEOPLE = (
    "/admin/", "/app/", "/t/", "/r/", "/p/", "/demo/", "/i18n/", "/^media/", "/favicon.ico", "/api/schema",
    "/api/docs",
)  # fmt: skip


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


def test_every_operation_says_which_scope_or_what_else_it_needs(document: dict) -> None:
    silent = [
        f"{method} {path}"
        for path, method, operation in operations_of(document)
        if ("Needs the scope" if path.startswith(OURS) else "Needs ") not in operation["description"]
    ]
    assert silent == []


def test_the_names_of_calls_are_made_by_one_rule(document: dict) -> None:
    """Generated clients have them as functions: thing first, then what is done, in the words of our own."""
    ours = {
        one["operationId"]: path for path, _, one in operations_of(document) if path.startswith("/api/v1")
    }
    theirs = re.compile("_(retrieve|update|destroy|partial|analyse)(_|$)")
    assert [name for name in ours if theirs.search(name)] == []
    assert {"campaigns_pause", "campaigns_get", "segments_count", "experiments_report"} <= set(ours)
    of_the_customer = {"push_subscribe", "push_unsubscribe"}
    strangers = [
        name
        for name, path in ours.items()
        if not name.startswith(path.split("/")[3].replace("-", "_")) and name not in of_the_customer
    ]
    assert strangers == []


def test_what_a_call_takes_is_named_for_the_thing(document: dict) -> None:
    """Not for the method of HTTP or the class that reads it."""
    names = document["components"]["schemas"].keys()
    assert {"CustomerChangeRequest", "SegmentRequest", "Segment", "MergeRequest", "Rules"} <= names
    odd = [name for name in names if re.search(r"^Patched|(In|Out|Patch|Put|Post)(Request)?$|Schema", name)]
    assert set(odd) - {"OptIn", "OptInRequest", "LeftOut"} == set()


def test_the_catalog_of_traits_says_what_its_values_may_be(document: dict) -> None:
    schemas = document["components"]["schemas"]
    plain = {"type": ["string", "number", "boolean"]}
    assert schemas["TraitDeclaration"]["properties"]["allowed"]["items"] == plain
    assert schemas["TraitDefinitionRequest"]["properties"]["filter"]["additionalProperties"] == plain


def test_no_call_takes_what_is_only_read(document: dict) -> None:
    """Clients would demand the id of what is yet to be made."""
    schemas = document["components"]["schemas"]
    assert "id" in schemas["Campaign"]["required"]
    assert sorted(schemas["CampaignRequest"]["required"]) == ["messages", "name"]
    bodies = [one["requestBody"]["content"] for *_, one in operations_of(document) if "requestBody" in one]
    taken = {kind["schema"].get("$ref", "").rpartition("/")[2] for body in bodies for kind in body.values()}
    found = [
        f"{name}.{field}"
        for name in sorted(taken & schemas.keys())
        for field, told in schemas[name].get("properties", {}).items()
        if told.get("readOnly")
    ]
    assert found == []


def test_a_json_column_is_told_as_what_it_holds(document: dict) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Customer"]["properties"]["traits"]["type"] == "object"
    assert schemas["Suggestion"]["properties"]["problems"]["type"] == "array"


def test_nothing_is_valid_under_two_of_which_one_is_to_be(document: dict) -> None:
    """Of anything or null, null would be both, and so an answer with it wrong."""
    assert '"oneOf": [{}' not in json.dumps(document)
    assert "oneOf" not in document["components"]["schemas"]["Variant"]["properties"]["value"]


def test_an_address_that_may_be_empty_and_an_hour_without_a_zone_are_told_so(document: dict) -> None:
    schemas = document["components"]["schemas"]
    assert "format" not in schemas["Item"]["properties"]["url"]
    hours = re.compile(schemas["QuietHours"]["properties"]["starts_at"]["pattern"])
    assert hours.match("22:00:00") and hours.match("07:30") and not hours.match("24:00")


def test_forgetting_a_browser_takes_which_in_the_body(document: dict) -> None:
    """Not in the address, which is logged: whoever has it can write to the browser."""
    forget = document["paths"]["/api/v1/customers/{external_id}/push-subscriptions"]["delete"]
    assert list(forget["requestBody"]["content"]) == ["application/json"]


def test_no_class_is_told_by_the_words_for_its_makers(document: dict) -> None:
    told = [one.get("description", "") for one in document["components"]["schemas"].values()]
    assert [text for text in told if "Serializer" in text] == []


def addresses(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, path)
        else:
            yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def test_every_address_that_programs_call_is_described(document: dict) -> None:
    found = set(addresses(get_resolver().url_patterns)) - {"/"}
    ours = {one for one in found if not one.startswith(FOR_PEOPLE)}
    assert {"/v1/track", "/api/v1/decide", "/healthz"} <= ours
    # A parameter may have another name in the document; the same address under two methods stands once.
    nameless = {re.sub(r"\{\w+\}", "{}", one) for one in ours}
    assert nameless == {re.sub(r"\{\w+\}", "{}", one) for one in document["paths"]}


@pytest.mark.django_db
def test_every_address_is_closed_without_a_key(document: dict, client: Client) -> None:
    for path, method, _operation in operations_of(document):
        if path.startswith(OPEN):
            continue
        address = "/" + re.sub(r"\{\w+\}", "1", path.lstrip("/"))
        body = {} if method == "get" else {"data": {"batch": []}}
        response = getattr(client, method)(address, content_type="application/json", **body)
        status = 403 if path.startswith("/hooks/") else 401
        assert response.status_code == status, f"{method} {address}: {response.status_code}"
        assert path.startswith(CLIENTS) or response["Content-Type"] == "application/problem+json"


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


@pytest.fixture(scope="module")
def collection(document: dict[str, Any]) -> dict[str, Any]:
    """As it comes out of the file."""
    return json.loads(json.dumps(make_collection(document, base_url="https://shop.example"), default=str))


def requests(collection: dict[str, Any]) -> list[dict[str, Any]]:
    return [item["request"] for folder in collection["item"] for item in folder["item"]]


def test_every_operation_is_in_the_collection_once(
    collection: dict[str, Any], document: dict[str, Any]
) -> None:
    mine = [
        (one["method"].lower(), re.sub(r":(\w+)", r"{\1}", one["url"]["raw"].removeprefix("{{baseUrl}}")))
        for one in requests(collection)
    ]
    theirs = [(method, path) for path, method, _operation in operations_of(document)]
    assert sorted(mine) == sorted(theirs)
    assert len(theirs) > 100


@pytest.mark.django_db
def test_lists_of_the_collection_are_answered_as_they_stand(collection: dict[str, Any]) -> None:
    token = create_key(name="collection", scopes=Scope.values)[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    lists = [one for one in requests(collection) if one["method"] == "GET" and not one["url"]["variable"]]
    lists = [one for one in lists if not any(not part["disabled"] for part in one["url"]["query"])]
    refused = [
        (path, answer.status_code)
        for one in lists
        if (answer := client.get(path := "/" + "/".join(one["url"]["path"]))).status_code >= 400
    ]
    assert len(lists) > 15
    # Asks for a client key, which this is not.
    assert [one for one in refused if "ofrep" not in one[0] and "features" not in one[0]] == []


@pytest.mark.django_db
def test_events_of_the_collection_are_taken_as_they_stand(collection: dict[str, Any]) -> None:
    client = Client(
        headers={"Authorization": f"Bearer {create_key(name='events', scopes=[Scope.INGEST])[1]}"}
    )
    calls = [one for one in requests(collection) if one["url"]["path"][0] == "v1"]
    answers = {
        one["url"]["path"][1]: client.post(
            "/" + "/".join(one["url"]["path"]), one["body"]["raw"], content_type="application/json"
        ).json()
        for one in calls
    }
    assert set(answers) == {"identify", "track", "page", "screen", "group", "alias", "batch"}
    assert all(answer == {"success": True} for answer in answers.values())


def test_an_example_has_what_is_required_and_follows_references() -> None:
    properties = {
        "name": {"type": "string"},
        "age": {"type": ["integer", "null"]},
        "nick": {"type": "string"},
    }
    person = {"type": "object", "required": ["name", "age"], "properties": properties}
    document = {"components": {"schemas": {"Person": person}}}
    reference = {"$ref": "#/components/schemas/Person"}
    assert example(document, reference) == {"name": "text", "age": 1}
    people = {"type": "array", "minItems": 1, "items": reference}
    assert example(document, people) == [{"name": "text", "age": 1}]
    assert example(document, {"oneOf": [{"enum": ["a", "b"]}, {"type": "null"}]}) == "a"
