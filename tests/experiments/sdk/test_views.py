import json

import pytest
from django.test import Client

from experiments import services
from experiments.models import ClientKey
from experiments.sdk.conditions import condition_of
from experiments.services import VariantSpec
from experiments.traffic.client_keys import create_client_key
from personalization.access.services import create_key
from personalization.segments.definition import parse
from personalization.segments.services import save_segment

SPECS = [VariantSpec("a", "A", 1), VariantSpec("b", "B", 1)]


@pytest.fixture
def key(db):
    return create_client_key(name="Website", created_by=None, actor="test").key


@pytest.fixture
def served(make_experiment, start):
    experiment = make_experiment(key="served", is_served=True)
    services.start_experiment(experiment, at=start)
    return experiment


def load(key, **headers):
    return Client().get(f"/api/features/{key}", headers=headers)


def evaluate(key, body, path="", method="post"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return getattr(Client(), method)(
        f"/ofrep/v1/evaluate/flags{path}", raw, content_type="application/json", headers={"X-API-Key": key}
    )


def test_only_served_and_started_experiments_are_told(key, served, make_experiment):
    make_experiment(key="hidden")
    make_experiment(key="not-started", is_served=True)
    assert list(load(key).json()["features"]) == ["served"]


def test_an_unchanged_answer_is_not_sent_twice(key, served):
    first = load(key)
    assert first["Cache-Control"] == "public, max-age=30"
    again = load(key, **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    services.change_coverage(served, coverage=1.0)
    assert load(key, **{"If-None-Match": first["ETag"]}).status_code == 304
    services.end_experiment(served, at=served.started_at)
    assert load(key, **{"If-None-Match": first["ETag"]}).status_code == 200


def test_browsers_of_every_origin_may_ask(key, served):
    asked = Client().options("/ofrep/v1/evaluate/flags", headers={"Origin": "https://shop.example"})
    assert asked.status_code == 204
    assert "X-API-Key" in asked["Access-Control-Allow-Headers"]
    for response in (load(key), load("nothing"), evaluate(key, {"context": {"targetingKey": "x"}})):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert not response.cookies


def test_a_client_key_opens_nothing_else_and_a_secret_key_is_no_client_key(key, served):
    headers = {"Authorization": f"Bearer {key}"}
    assert Client().get("/api/v1/experiments", headers=headers).status_code == 401
    _, secret = create_key(name="x", scopes=["campaigns:read"])
    assert load(secret).status_code == 401
    assert evaluate(secret, {"context": {"targetingKey": "x"}}).status_code == 401


def test_all_experiments_are_evaluated_at_once(key, served):
    answer = evaluate(key, {"context": {"targetingKey": "c-1"}})
    (flag,) = answer.json()["flags"]
    assert (flag["key"], flag["reason"], flag["metadata"]["experimentId"]) == ("served", "SPLIT", "served")
    again = Client().post(
        "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "c-1"}}, content_type="application/json",
        headers={"X-API-Key": key, "If-None-Match": answer["ETag"]},
    )  # fmt: skip
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"), (b"\xff", "PARSE_ERROR"), (b"[" * 70_000, "PARSE_ERROR"),
        ([], "INVALID_CONTEXT"), ({"context": 1}, "INVALID_CONTEXT"),
        ({"context": {}}, "TARGETING_KEY_MISSING"), ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "x" * 201}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "a\0"}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "\ud83d"}}, "INVALID_CONTEXT"),
    ],
)  # fmt: skip
def test_bad_calls_are_answered_as_the_protocol_says(key, served, body, code):
    for path in ("", "/served"):
        answer = evaluate(key, body, path)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_other_methods_are_refused(key):
    assert Client().post(f"/api/features/{key}").status_code == 405
    assert Client().get("/ofrep/v1/evaluate/flags").status_code == 405


def test_a_segment_that_needs_events_is_said_to_be_missing(key, make_experiment, start):
    definition = {"event": "Order Completed", "is": "at_least", "value": 3}
    version = save_segment(None, name="Regulars", definition=definition)
    experiment = make_experiment(key="regulars", is_served=True, segment_version=version)
    services.start_experiment(experiment, at=start)
    answer = load(key).json()
    assert answer["features"]["regulars"] == {"defaultValue": "control", "rules": []}
    assert "remote evaluation" in answer["notServed"]["regulars"]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"trait": "country", "op": "is", "value": "GB"}, {"country": {"$eq": "GB"}}),
        ({"trait": "plan", "op": "not_in", "value": ["a", "b"]}, {"plan": {"$nin": ["a", "b"]}}),
        ({"trait": "age", "op": "between", "value": [18, 30.5]}, {"age": {"$gte": 18, "$lte": 30.5}}),
        ({"trait": "city", "op": "exists"}, {"city": {"$exists": True, "$ne": ""}}),
        (
            {"any": [{"not": {"trait": "age", "op": "at_least", "value": 18}},
                     {"all": [{"trait": "vip", "op": "is", "value": True}]}]},
            {"$or": [{"$not": {"age": {"$gte": 18}}}, {"$and": [{"vip": {"$eq": True}}]}]},
        ),
        ({"all": []}, {}),
        # Names people, or means something else there.
        ({"trait": "email", "op": "is", "value": "ada@example.com"}, None),
        ({"trait": "external_id", "op": "in", "value": ["ada"]}, None),
        ({"trait": "city", "op": "contains", "value": "x"}, None),
        ({"trait": "a.b", "op": "is", "value": 1}, None),
        ({"all": [{"trait": "vip", "op": "is", "value": True}, {"consent": "email"}]}, None),
    ],
)  # fmt: skip
def test_segments_become_conditions_where_they_mean_the_same(definition, expected):
    assert condition_of(parse(definition)) == expected


def test_staff_make_and_revoke_client_keys(admin_client):
    assert admin_client.post("/admin/experiments/clientkey/add/", {"name": "App"}).status_code == 302
    made = ClientKey.objects.get()
    assert load(made.key).status_code == 200
    page = admin_client.get("/admin/experiments/clientkey/")
    assert made.key in page.content.decode()
    form = {"action": "revoke", "_selected_action": [made.pk]}
    assert admin_client.post("/admin/experiments/clientkey/", form).status_code == 302
    assert load(made.key).status_code == 401


def test_staff_make_and_change_holdouts_and_layers(admin_client, make_customers):
    make_customers(100)
    form = {"name": "Everybody", "key": "all", "is_global": "on", "share": "0.3"}
    assert admin_client.post("/admin/experiments/holdout/add/", form).status_code == 302
    page = admin_client.get("/admin/experiments/holdout/").content.decode()
    from experiments.models import Holdout

    holdout = Holdout.objects.get()
    size = holdout.members.count()
    assert 15 < size < 45 and "30 %" in page
    address = f"/admin/experiments/holdout/{holdout.pk}/change/"
    management = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}
    wrong = admin_client.post(address, {"name": "All", "share": "0.9", **management})
    assert wrong.status_code == 200
    assert admin_client.post(address, {"name": "All", "share": "0.1", **management}).status_code == 302
    assert [v.share for v in holdout.versions.order_by("number")] == [0.3, 0.1]
    for action in ("draw_anew", "end"):
        done = admin_client.post(
            "/admin/experiments/holdout/", {"action": action, "_selected_action": [holdout.pk]}
        )
        assert done.status_code == 302
    assert admin_client.post(address, {"name": "All", "share": "0.2", **management}).status_code == 200
    layer = {"name": "Front page", "key": "page", "hash_version": "2"}
    layer |= {"experiments-TOTAL_FORMS": 0, "experiments-INITIAL_FORMS": 0}
    assert admin_client.post("/admin/experiments/layer/add/", layer).status_code == 302
    assert "0 to 1" in admin_client.get("/admin/experiments/layer/").content.decode()
