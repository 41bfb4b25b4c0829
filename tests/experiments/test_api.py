from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from experiments import services
from experiments.document import document
from experiments.selectors import report
from experiments.serializers import ReportSerializer
from experiments.stats import Mean, compare
from personalization.access.models import Scope
from personalization.access.services import create_key


@pytest.fixture
def experiment(make_experiment, make_customers, place, happen, start):
    services.ensure_default_metrics()
    experiment, customers = make_experiment(), make_customers(40)
    place(experiment, "control", customers[:20])
    place(experiment, "a", customers[20:])
    for number, customer in enumerate(customers):
        happen(customer, value=f"{number}.25", days=1 + number / 10)
    return experiment


def get(key, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().get(f"/api/v1/experiments/{key}/report", headers=headers)


def test_anybody_can_recompute_the_effect_from_the_sums(experiment):
    _, token = create_key(name="reader", scopes=[Scope.CAMPAIGNS_READ])
    response = get("spring", token)
    assert response.status_code == 200
    revenue = next(metric for metric in response.json()["metrics"] if metric["key"] == "revenue")
    control, treatment = (
        Mean(sums["n"], Decimal(sums["sum"]), Decimal(sums["sum_squares"]))
        for sums in (revenue["statistics"]["control"], revenue["statistics"]["a"])
    )
    effect, answered = compare(control, treatment), revenue["comparisons"][0]["effect"]
    assert answered["absolute"] == effect.absolute
    assert answered["absolute_ci"] == list(effect.absolute_ci)
    assert answered["p_value"] == effect.p_value
    assert response.json()["summary"].startswith("“Message A” raised “Revenue”")


def test_a_key_without_the_scope_is_refused_and_so_is_none(experiment):
    _, token = create_key(name="other", scopes=[Scope.INGEST])
    assert get("spring", token).status_code == 403
    assert get("spring").status_code == 401


def test_an_unknown_experiment_is_not_found(db):
    _, token = create_key(name="reader", scopes=[Scope.CAMPAIGNS_READ])
    response = get("no-such", token)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("days", [-1, 0, 3, 30])
def test_the_document_has_the_promised_shape_at_any_time(experiment, start, days):
    body = document(report(experiment, now=start + timedelta(days=days)))
    serializer = ReportSerializer(data=body)
    assert serializer.is_valid(), serializer.errors
    assert set(body) == set(serializer.fields)


def test_staff_see_experiments_and_define_metrics(experiment, admin_client):
    assert admin_client.get(f"/admin/experiments/experiment/{experiment.pk}/change/").status_code == 200
    assert admin_client.get("/admin/experiments/experiment/").status_code == 200
    assert admin_client.get("/admin/experiments/experiment/add/").status_code == 403
    form = {
        "key": "carts", "name": "Carts", "kind": "count", "event": "Product Added", "direction": "up",
        "scope": "customer", "window_days": 7, "position": 9, "from_day": 0,
        "covariate_days": 0, "role": "secondary",
    }  # fmt: skip
    assert admin_client.post("/admin/experiments/metric/add/", form).status_code == 302
    wrong = admin_client.post("/admin/experiments/metric/add/", {**form, "key": "other", "kind": "median"})
    assert wrong.status_code == 200
