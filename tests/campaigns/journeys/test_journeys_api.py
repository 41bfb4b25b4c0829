"""Journeys by API, and the templates to begin with."""

from typing import Any

import pytest

from campaigns.journeys.templates import TEMPLATES
from campaigns.journeys.versions import check
from campaigns.models import Campaign, Journey
from personalization.access.services import create_key
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client: Any) -> Any:
    _key, token = create_key(name="k", scopes=["campaigns:read", "campaigns:write"])

    def send(method: str, path: str, body: Any = None) -> Any:
        return client.generic(
            method, f"/api/v1/journeys{path}", __import__("json").dumps(body) if body is not None else "",
            "application/json", headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip

    return send


def test_a_journey_is_drafted_published_entered_and_steered(call: Any, make_customers: Any) -> None:
    make_customers(2)
    graph = {
        "entry": {"kind": "api"}, "start": "w",
        "nodes": {"w": {"kind": "delay", "params": {"hours": 1}, "next": {}}},
    }  # fmt: skip
    made = call("POST", "", {"name": "Onboarding", "graph": graph})
    assert made.status_code == 201, made.content
    where = f"/{made.json()['id']}"
    people = {"idempotency_key": "1", "recipients": [{"customer": "c0"}, {"customer": "c1"}]}
    assert call("POST", f"{where}/enter", people).status_code == 409
    assert call("POST", f"{where}/publish", {}).json()["status"] == "active"
    assert call("POST", f"{where}/enter", people).json() == {"entered": 2}
    assert call("POST", f"{where}/enter", people).json() == {"entered": 0}
    counts = call("GET", f"{where}/counts").json()
    assert counts["inside"] == counts["entered"] == 2 and counts["nodes"]["w"]["inside"] == 2
    found = call("GET", f"{where}/people?node=w").json()["results"]
    assert {one["customer"] for one in found} == {"c0", "c1"} and found[0]["way"] == []
    assert call("POST", f"{where}/end").json()["left"] == 2
    assert call("POST", f"{where}/pause").status_code == 409


def test_what_is_wrong_is_told_with_its_place(call: Any) -> None:
    made = call("POST", "", {"name": "J", "graph": {"entry": {"kind": "api"}}})
    answer = call("POST", f"/{made.json()['id']}/publish", {})
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/nodes", "/start"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_complete_but_for_what_only_staff_can_know(call: Any, name: str) -> None:
    made = call("POST", "", {"template": name})
    assert made.status_code == 201, made.content
    graph = Journey.objects.get().draft
    assert Campaign.objects.filter(kind="triggered").count() == len(TEMPLATES[name].messages)
    if name == "win_back":
        version = save_segment(
            None, name="Away", definition={"trait": "country", "op": "in", "value": ["GB"]}
        )
        graph["entry"]["params"]["segment"] = version.segment_id
    check(graph)
    if name != "win_back":
        assert call("POST", f"/{made.json()['id']}/publish", {}).status_code == 200
