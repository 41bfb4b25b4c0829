"""Metrics, layers, holdouts and client keys by REST; plans of experiments that no campaign steers."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from experiments.models import Experiment, HoldoutMember, Metric, Plan
from experiments.services import ensure_default_metrics
from experiments.traffic.client_keys import is_live
from personalization.access.models import AuditEntry
from personalization.access.services import create_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def call():
    def send(method, path, body=None, *, scopes=("campaigns:read", "campaigns:write")):
        token = create_key(name="program", scopes=list(scopes))[1]
        return getattr(Client(), method)(
            f"/api/v1/{path}", None if body is None else json.dumps(body),
            content_type="application/json", headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    return send


def test_a_metric_is_defined_listed_and_archived(call):
    body = {"key": "visits", "name": "Visits", "kind": "count", "event": "Visit", "covariate_days": 7}
    made = call("post", "metrics", body)
    assert (made.status_code, made.json()["window_days"]) == (201, 14)
    assert [one["key"] for one in call("get", "metrics").json()["results"]] == ["visits"]
    assert call("post", "metrics/visits/archive").json()["archived_at"]
    assert call("get", "metrics").json()["results"] == []
    assert [one["key"] for one in call("get", "metrics?archived=true").json()["results"]] == ["visits"]
    assert AuditEntry.objects.filter(action__in=["metric.created", "metric.archived"]).count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [({"kind": "median"}, "kind"), ({"kind": "ratio"}, "denominator_event"), ({"margin": 0.1}, "margin")],
)
def test_a_metric_that_makes_no_sense_is_refused_where_it_stands(call, change, field):
    body = {"key": "m", "name": "M", "kind": "count", "event": "E", **change}
    answer = call("post", "metrics", body)
    assert answer.status_code == 400
    assert field in json.dumps(answer.json())
    assert not Metric.objects.exists()


def test_an_archived_metric_is_not_planned_with(call, make_experiment):
    ensure_default_metrics()
    make_experiment(origin="api")
    assert call("put", "experiments/spring/plan", {"plan": {"metric": "conversion"}}).status_code == 200
    call("post", "metrics/conversion/archive")
    assert call("put", "experiments/spring/plan", {"plan": {"metric": "conversion"}}).status_code == 422


def test_layers_show_what_is_taken_and_free(call):
    assert call("post", "layers", {"key": "site", "name": "Site"}).status_code == 201
    variants = [{"key": "a", "weight": 1, "is_control": True}, {"key": "b", "weight": 1}]
    part = {"key": "site", "start": "0.2", "end": "0.5"}
    body = {"key": "one", "name": "One", "variants": variants, "layer": part}
    assert call("post", "experiments", body).status_code == 201
    found = call("get", "layers/site").json()
    assert found["taken"] == [{"experiment": "one", "start": "0.2000", "end": "0.5000"}]
    assert found["free"] == [{"start": "0.0000", "end": "0.2000"}, {"start": "0.5000", "end": "1.0000"}]
    assert call("post", "layers", {"key": "site", "name": "Again"}).status_code == 400


def test_a_holdout_is_drawn_changed_redrawn_and_ended(call, make_customers):
    make_customers(400)
    made = call("post", "holdouts", {"key": "all", "name": "All", "share": 0.1}).json()
    assert 20 <= made["members"] <= 60
    more = call("patch", "holdouts/all", {"share": 0.2}).json()
    assert more["members"] > made["members"]
    assert call("patch", "holdouts/all", {"share": 0.7}).status_code == 400
    assert [one["number"] for one in call("post", "holdouts/all/redraw").json()["versions"]] == [3, 2, 1]
    assert call("post", "holdouts/all/end").json()["members"] == 0
    assert call("post", "holdouts/all/redraw").status_code == 409
    assert HoldoutMember.objects.count() > 0, "who was in when stays on record"


def test_a_client_key_is_made_and_revoked(call):
    made = call("post", "client-keys", {"name": "Website"}).json()
    assert is_live(made["key"])
    assert [one["name"] for one in call("get", "client-keys").json()["results"]] == ["Website"]
    assert call("post", f"client-keys/{made['id']}/revoke").json()["revoked_at"]
    assert not is_live(made["key"])


@pytest.mark.parametrize(
    ("path", "body"),
    [("metrics", {"key": "m", "name": "M", "kind": "count", "event": "E"}),
     ("layers", {"key": "l", "name": "L"}), ("holdouts", {"key": "h", "name": "H", "share": 0.1}),
     ("client-keys", {"name": "K"})],
)  # fmt: skip
def test_who_may_only_read_makes_nothing(call, path, body):
    assert call("get", path, scopes=["campaigns:read"]).status_code == 200
    assert call("post", path, body, scopes=["campaigns:read"]).status_code == 403


def test_the_plan_is_wished_fixed_by_the_start_and_changed_with_a_reason(call, make_experiment):
    ensure_default_metrics()
    make_experiment(origin="api")
    wished = call("put", "experiments/spring/plan", {"plan": {"length_days": 20, "metric": "conversion"}})
    assert wished.json()["plan"]["baseline"] == "control"
    assert call("get", "experiments/spring/decision").json()["plans"] == []
    call("post", "experiments/spring/start", {})
    plan = Plan.objects.get()
    assert (plan.terms["length_days"], plan.terms["metric"], plan.version) == (20, "conversion", 1)
    assert call("put", "experiments/spring/plan", {"plan": {}}).status_code == 422
    assert (
        call("post", "experiments/spring/plan", {"plan": {"length_days": 9}, "reason": ""}).status_code >= 400
    )
    changed = call("post", "experiments/spring/plan", {"plan": {"length_days": 9}, "reason": "Holidays"})
    assert [one["reason"] for one in changed.json()["plans"]] == ["", "Holidays"]


def test_a_start_in_the_past_promises_nothing(call, make_experiment):
    ensure_default_metrics()
    make_experiment(origin="api")
    at = (timezone.now() - timedelta(days=3)).isoformat()
    assert call("post", "experiments/spring/start", {"at": at}).status_code == 200
    assert Experiment.objects.get().started_at and not Plan.objects.exists()
