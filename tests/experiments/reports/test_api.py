import json
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from rest_framework.renderers import JSONRenderer

from experiments import metrics, services
from experiments.models import Metric
from experiments.reports.document import document
from experiments.reports.serializers import ReportSerializer
from experiments.selectors import report
from experiments.services import VariantSpec
from experiments.stats import (
    Adjusted,
    Mean,
    Ratio,
    adjust,
    as_json,
    bayesian,
    check_counts,
    check_denominator,
    compare,
    from_json,
    non_inferiority,
    novelty,
    sample_ratio,
    simultaneous,
)
from personalization.access.models import Scope
from personalization.access.services import create_key


@pytest.fixture
def experiment(make_experiment, make_customers, place, happen, start, analyse):
    services.ensure_default_metrics()
    experiment, customers = make_experiment(), make_customers(40)
    place(experiment, "control", customers[:20])
    place(experiment, "a", customers[20:])
    for number, customer in enumerate(customers):
        happen(customer, value=f"{number}.25", days=1 + number / 10)
    analyse(experiment)
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


def strip(found):
    """A statistic of the document without the two numbers that follow from it."""
    extra = {"value"} if "n" in found and found["kind"] != "Adjusted" else {"value", "n"}
    if found["kind"] == "Quantile":
        extra = {"value", "n"}
    return from_json({key: part for key, part in found.items() if key not in extra})


def plain(value):
    return json.loads(json.dumps(value))


def shown(effect):
    return None if effect is None else plain({**asdict(effect), "notes": [n.value for n in effect.notes]})


@pytest.fixture
def rich(make_experiment, make_customers, place, happen, start):
    """Every kind of metric, three groups, a guardrail, and a covariate."""
    variants = [
        VariantSpec("control", "No", 1, is_control=True),
        VariantSpec("a", "A", 1),
        VariantSpec("b", "B", 1),
    ]
    experiment, customers = make_experiment(variants=variants), make_customers(90)
    order = {"event": "Order Completed"}
    for position, (key, fields) in enumerate(
        {
            "revenue": {
                "kind": "revenue",
                "role": "primary",
                "covariate_days": 9,
                "cap": Decimal(90),
                **order,
            },
            "bought": {"kind": "conversion", "covariate_days": 9, **order},
            "orders": {"kind": "count", **order},
            "kept": {"kind": "retention", "from_day": 3, **order},
            "value": {"kind": "average_value", "denominator_event": "Order Completed", **order},
            "visits": {"kind": "ratio", "denominator_event": "Visit", **order},
            "nine": {"kind": "quantile", "quantile": 0.8, **order},
            "left": {
                "kind": "conversion",
                "role": "guardrail",
                "margin": 0.1,
                "direction": "down",
                "event": "Left",
            },
        }.items()
    ):
        Metric.objects.create(key=key, name=key, position=position, **fields)
    for group, key in enumerate(("control", "a", "b")):
        place(experiment, key, customers[group * 30 : group * 30 + 30])
    for number, customer in enumerate(customers):
        if number % 3 == 0:
            happen(customer, value=f"{number % 7}.20", days=-2)
        if number % 4:
            happen(customer, value=f"{number % 11 + number // 30}.25", days=1 + number % 6)
        for day in range(number % 3):
            happen(customer, "Visit", days=day + 0.5)
        if number % 9 == 0:
            happen(customer, "Left", days=2)
    return experiment


def test_every_number_follows_from_the_document_alone(rich, start):
    body = plain(json.loads(JSONRenderer().render(document(report(rich, now=start + timedelta(days=8))))))
    alpha, family = body["alpha"], []
    assert {metric["kind"] for metric in body["metrics"]} == set(metrics.names())
    for metric in body["metrics"]:
        groups = {key: strip(found) for key, found in metric["statistics"].items()}
        control, others = groups[metric["baseline"]], [c["variant"] for c in metric["comparisons"]]
        joint = simultaneous([(control, groups[key]) for key in others], alpha=alpha)
        for comparison, together in zip(metric["comparisons"], joint, strict=True):
            treated = groups[comparison["variant"]]
            direction = {"direction": metric["direction"]}
            assert comparison["effect"] == shown(compare(control, treated, alpha=alpha))
            assert comparison["always_valid"] == shown(
                compare(control, treated, alpha=alpha, method="always_valid")
            )
            if metric["is_primary"]:
                assert comparison["simultaneous"] == shown(together.wide)
                assert comparison["adjusted_p_value"] == together.p_value
                days = from_json(metric["daily"][comparison["variant"]])
                assert comparison["novelty"] == plain(as_json(novelty(days)))
            if metric["kind"] != "quantile":
                assert comparison["belief"] == plain(as_json(bayesian(control, treated, **direction)))
                assert comparison["counts"] == plain(as_json(check_counts(control, treated)))
            if isinstance(control, Adjusted):
                assert comparison["unadjusted"] == shown(compare(control.post, treated.post, alpha=alpha))
                assert comparison["effect"]["variance_reduction"] is not None
            if isinstance(control, Ratio):
                assert comparison["denominator"] == plain(as_json(check_denominator(control, treated)))
            if metric["margin"]:
                bound = non_inferiority(control, treated, margin=metric["margin"], **direction)
                assert comparison["guardrail"] == plain(as_json(bound))
            else:
                family.append((comparison["family_p_value"], comparison["effect"]["p_value"]))
        for point in metric["series"]:
            pair = from_json(point["statistics"])
            assert point["effect"] == shown(compare(*pair, alpha=alpha))
            assert point["always_valid"] == shown(compare(*pair, alpha=alpha, method="always_valid"))
    assert [seen for seen, _ in family] == pytest.approx(adjust([p for _, p in family], "holm"))
    ratio = body["sample_ratio"]
    assert (
        ratio["p_value"] == sample_ratio(ratio["observed"], [v["weight"] for v in body["variants"]]).p_value
    )
    assert body["assignment"] == {"seed": "spring", "hash_version": 2}
    assert set(body["versions"]) == {"numpy", "scipy", "statsmodels"}


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
