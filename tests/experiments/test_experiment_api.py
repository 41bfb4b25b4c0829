"""A past campaign, or an experiment for apps, made and steered through the public API alone."""

import json

import pytest
from django.test import Client

from experiments.assignment import hash_fraction
from experiments.models import Assignment, Experiment, Layer
from personalization.access.models import AuditEntry
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.segments.services import save_segment

ARMS = [
    {"key": "none", "name": "No e-mail", "weight": 1, "is_control": True},
    {"key": "mens", "name": "Mens", "weight": 1},
    {"key": "womens", "name": "Womens", "weight": 1},
]


@pytest.fixture
def call(db):
    token = create_key(name="x", scopes=["campaigns:read", "campaigns:write"])[1]

    def send(method, path="", body=None):
        return getattr(Client(), method)(
            f"/api/v1/experiments{path}", json.dumps(body) if body is not None else None,
            content_type="application/json", headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    return send


@pytest.fixture
def past(call):
    made = call("post", "", {"key": "hillstrom", "name": "Past mailing", "variants": ARMS})
    assert made.status_code == 201, made.content
    return made.json()


def rows(call, *assignments, key="hillstrom"):
    return call("post", f"/{key}/assignments", {"assignments": list(assignments)})


def test_a_past_campaign_is_imported(call, past, analyse):
    assert [v["weight"] for v in past["variants"]] == pytest.approx([1 / 3] * 3)
    started = call("post", "/hillstrom/start", {"at": "2008-03-20T00:00:00Z"})
    assert started.json()["started_at"] == "2008-03-20T00:00:00Z"
    people = [
        {"customer": f"c{n}", "variant": ARMS[n % 3]["key"], "propensity": 1 / 3,
         "assigned_at": "2008-03-20T09:00:00Z"}
        for n in range(1000)
    ]  # fmt: skip
    assert rows(call, *people).json() == {"created": 1000, "unchanged": 0}
    assert rows(call, *people).json() == {"created": 0, "unchanged": 1000}
    assert rows(call, *people, {"customer": "x", "variant": "none"}).status_code == 400
    ended = call("post", "/hillstrom/end", {"at": "2008-04-03T00:00:00Z"})
    assert ended.json()["ended_at"] == "2008-04-03T00:00:00Z"
    counts = [Assignment.objects.filter(variant__key=arm["key"]).count() for arm in ARMS]
    assert counts == [334, 333, 333]
    analyse(Experiment.objects.get(key="hillstrom"))
    report = (
        Client()
        .get(
            "/api/v1/experiments/hillstrom/report",
            headers={"Authorization": f"Bearer {create_key(name='r', scopes=['campaigns:read'])[1]}"},
        )
        .json()
    )
    assert [v["customers"] for v in report["variants"]] == counts
    assert AuditEntry.objects.filter(action="assignments.imported").count() == 2


def test_one_wrong_row_is_named_and_nothing_is_written(call, past):
    rows(call, {"customer": "c1", "variant": "mens"})
    answer = rows(
        call,
        {"customer": "c2", "variant": "mens"},
        {"customer": "c3", "variant": "kids"},
        {"customer": "c2", "variant": "mens"},
        {"customer": "c4", "variant": "mens", "assigned_at": "2999-01-01T00:00:00Z"},
    )
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/assignments/1/variant", "/assignments/2/customer", "/assignments/3/assigned_at",
    ]  # fmt: skip
    moved = rows(call, {"customer": "c5", "variant": "none"}, {"customer": "c1", "variant": "womens"})
    assert moved.json()["errors"][0]["pointer"] == "/assignments/1/variant"
    assert list(Assignment.objects.values_list("customer__external_id", "variant__key")) == [("c1", "mens")]
    assert not Customer.objects.filter(external_id="c5").exists()


@pytest.mark.parametrize("version", [1, 2])
def test_without_a_variant_the_hash_of_the_other_tool_decides(call, version):
    variants = [{"key": "a", "weight": 1, "is_control": True}, {"key": "b", "weight": 1}]
    body = {"key": "elsewhere", "name": "E", "variants": variants, "hash_version": version}
    assert call("post", "", body).status_code == 201
    people = ["Zoë", "北京", *(f"c{n}" for n in range(50))]
    assert rows(call, *({"customer": p} for p in people), key="elsewhere").json()["created"] == 52
    stored = dict(Assignment.objects.values_list("customer__external_id", "variant__key"))
    assert stored == {p: "ab"[hash_fraction("elsewhere", p, version=version) >= 0.5] for p in people}


def test_version_1_is_not_served(call):
    body = {"key": "old", "name": "O", "variants": ARMS, "hash_version": 1, "is_served": True}
    answer = call("post", "", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-traffic")
    assert call("post", "", {**body, "is_served": False}).status_code == 201
    assert call("patch", "/old", {"is_served": True}).status_code == 422


def test_an_experiment_for_apps_is_made_ramped_ended_and_shipped(call):
    Layer.objects.create(key="page", name="Page")
    version = save_segment(None, name="British", definition={"trait": "country", "op": "is", "value": "GB"})
    variants = [
        {"key": "off", "weight": 1, "is_control": True, "value": False},
        {"key": "on", "weight": 1, "value": True, "forced_ids": ["tester"]},
    ]
    body = {
        "key": "banner", "name": "Banner", "variants": variants, "coverage": 0.1, "is_served": True,
        "segment": version.segment_id, "layer": {"key": "page", "start": "0", "end": "0.5"},
    }  # fmt: skip
    made = call("post", "", body).json()
    assert made["layer"] == {"key": "page", "start": "0.0000", "end": "0.5000"}
    assert (made["segment"], made["variants"][1]["value"], made["started_at"]) == (
        version.segment_id, True, None,
    )  # fmt: skip
    again = call("post", "", body)
    assert again.status_code == 409
    taken = call("post", "", {**body, "key": "other"})
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/layer-taken")
    assert call("post", "/banner/start", {}).json()["started_at"]
    assert call("patch", "/banner", {"coverage": 0.5}).json()["coverage"] == 0.5
    lowered = call("patch", "/banner", {"coverage": 0.2})
    assert lowered.status_code == 422 and "raised" in lowered.json()["detail"]
    assert call("post", "/banner/end", {"ship": "nope"}).status_code == 422
    assert call("get", "/banner").json()["ended_at"] is None
    shipped = call("post", "/banner/end", {"ship": "on", "share": 0.3}).json()
    assert (shipped["shipped"], shipped["shipped_share"]) == ("on", 0.3)
    assert call("post", "/banner/end", {"ship": "on", "share": 0.2}).status_code == 422
    assert call("post", "/banner/end", {"ship": "on", "share": 1}).json()["shipped_share"] == 1
    assert call("get", "/banner").json()["exposures"] == {"variants": {}, "contradicted": 0}
    assert [one["key"] for one in call("get").json()["results"]] == ["banner"]


def test_what_a_campaign_made_is_left_to_the_campaign(call, make_experiment):
    make_experiment(key="campaign-1-run-1")
    for path, body in (("/start", {}), ("/end", {}), ("/assignments", {"assignments": [{"customer": "c"}]})):
        assert call("post", f"/campaign-1-run-1{path}", body).status_code == 409
    assert call("patch", "/campaign-1-run-1", {"coverage": 1}).status_code == 409
    assert call("post", "", {"key": "campaign-2-run-1", "name": "x", "variants": ARMS}).status_code == 400
    assert Experiment.objects.count() == 1


def test_a_key_that_may_only_read_makes_nothing(db):
    headers = {"Authorization": f"Bearer {create_key(name='r', scopes=['campaigns:read'])[1]}"}
    assert Client().get("/api/v1/experiments", headers=headers).status_code == 200
    answer = Client().post("/api/v1/experiments", "{}", content_type="application/json", headers=headers)
    assert answer.status_code == 403
