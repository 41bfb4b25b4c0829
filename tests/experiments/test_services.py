from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import ProtectedError

from experiments import assigning, services
from experiments.assignment import bucket_ranges, choose, hash_fraction
from experiments.errors import InvalidVariants, KeyTaken, NotRunning
from experiments.models import Assignment, Metric, Variant
from experiments.services import VariantSpec
from personalization.customers.models import Customer


def test_weights_are_stored_as_shares_in_the_given_order(make_experiment):
    experiment = make_experiment(
        variants=[
            VariantSpec("c", "C", 1, is_control=True),
            VariantSpec("a", "A", 2),
            VariantSpec("b", "B", 1),
        ]
    )
    stored = experiment.variants.order_by("position")
    assert [(v.key, v.weight, v.is_control) for v in stored] == [
        ("c", 0.25, True),
        ("a", 0.5, False),
        ("b", 0.25, False),
    ]


@pytest.mark.parametrize(
    ("variants", "coverage"),
    [
        ([], 1.0),
        ([VariantSpec("a", "A", 1), VariantSpec("a", "B", 1)], 1.0),
        ([VariantSpec("a", "A", 0)], 1.0),
        ([VariantSpec("a", "A", -1), VariantSpec("b", "B", 2)], 1.0),
        ([VariantSpec("a", "A", 1, True), VariantSpec("b", "B", 1, True)], 1.0),
        ([VariantSpec("a", "A", 1)], 1.1),
    ],
)
def test_impossible_variants_are_refused(db, variants, coverage):
    with pytest.raises(InvalidVariants):
        services.create_experiment(key="x", name="X", variants=variants, coverage=coverage)


def test_a_key_is_used_once(make_experiment):
    make_experiment(key="once")
    with pytest.raises(KeyTaken):
        make_experiment(key="once")


def test_everyone_gets_the_variant_any_sdk_would_give_and_it_is_stored(
    make_experiment, make_customers, start
):
    customers = make_customers(200)
    visitor = Customer.objects.create(created_at=start)
    experiment = make_experiment(coverage=0.8)
    found = services.assign(experiment, [c.pk for c in [*customers, visitor]], at=start)
    ranges = bucket_ranges([0.5, 0.5], 0.8)
    variants = list(experiment.variants.order_by("position"))
    for customer in [*customers, visitor]:
        value = customer.external_id or str(customer.pk)
        index = choose(hash_fraction("spring", value), ranges)
        expected = (variants[index].pk, pytest.approx(0.4)) if index >= 0 else (None, pytest.approx(0.2))
        assert found[customer.pk] == expected
    stored = Assignment.objects.filter(experiment=experiment)
    assert stored.count() == sum(variant is not None for variant, _ in found.values())
    assert set(stored.values_list("assigned_at", flat=True)) == {start}


def test_a_stored_assignment_outlives_a_change_of_weights(make_experiment, make_customers, start):
    ids = [customer.pk for customer in make_customers(100)]
    experiment = make_experiment()
    before = services.assign(experiment, ids[:60], at=start)
    Variant.objects.filter(experiment=experiment, key="a").update(weight=1.0)
    Variant.objects.filter(experiment=experiment, key="control").update(weight=0.0)
    after = services.assign(experiment, ids, at=start + timedelta(days=1))
    assert {pk: after[pk] for pk in ids[:60]} == before
    treatment = experiment.variants.get(key="a").pk
    assert {after[pk] for pk in ids[60:]} == {(treatment, 1.0)}
    assert Assignment.objects.filter(assigned_at=start).count() == 60


def test_assigning_twice_changes_nothing_and_unknown_ids_are_left_out(make_experiment, make_customers, start):
    ids = [customer.pk for customer in make_customers(10)]
    experiment = make_experiment()
    first = services.assign(experiment, [*ids, ids[0], max(ids) + 99], at=start)
    assert set(first) == set(ids)
    assert services.assign(experiment, ids, at=start) == first
    assert services.assign(experiment, [], at=start) == {}


def test_what_another_process_stored_in_between_holds(make_experiment, make_customers, start, monkeypatch):
    customers = make_customers(20)
    experiment = make_experiment()
    first, *others = [customer.pk for customer in customers]
    drawn = services.assign(experiment, [first], at=start, is_kept=False)[first][0]
    other = experiment.variants.exclude(pk=drawn).get()
    write = assigning.store

    def store(experiment, rows):
        Assignment.objects.create(
            experiment=experiment, customer_id=first, variant=other, propensity=0.25, assigned_at=start
        )
        return write(experiment, rows)

    monkeypatch.setattr(assigning, "store", store)
    found = services.assign(experiment, [first, *others], at=start)
    assert found[first] == (other.pk, 0.25) and set(found) == {first, *others}
    rows = Assignment.objects.values_list("customer_id", "variant_id", "propensity")
    assert {pk: (variant, chance) for pk, variant, chance in rows} == found


def test_what_has_assignments_cannot_be_deleted_beneath_them(make_experiment, make_customers, start):
    experiment = make_experiment()
    services.assign(experiment, [customer.pk for customer in make_customers(3)], at=start)
    with pytest.raises(ProtectedError):
        experiment.variants.all().delete()
    with pytest.raises(ProtectedError):
        experiment.delete()
    Customer.objects.all().delete()
    assert not Assignment.objects.exists()
    experiment.delete()


def test_an_ended_experiment_takes_nobody_in(make_experiment, make_customers, start):
    experiment = make_experiment()
    services.start_experiment(experiment, at=start)
    services.start_experiment(experiment, at=start + timedelta(days=3))
    services.end_experiment(experiment, at=start + timedelta(days=5))
    assert experiment.started_at == start
    with pytest.raises(NotRunning):
        services.assign(experiment, [make_customers(1)[0].pk], at=start + timedelta(days=6))


def test_a_new_installation_has_its_metrics_by_one_command(db):
    out = StringIO()
    call_command("ensure_metrics", stdout=out)
    assert "revenue" in out.getvalue() and Metric.objects.filter(key="replied").exists()


def test_default_metrics_are_made_once_and_left_as_staff_changed_them(db):
    services.ensure_default_metrics()
    Metric.objects.filter(key="revenue").update(window_days=30)
    services.ensure_default_metrics()
    assert list(Metric.objects.values_list("key", flat=True)) == [
        "revenue",
        "conversion",
        "opened",
        "clicked",
        "replied",
        "unsubscribed",
    ]
    assert Metric.objects.get(role="primary").window_days == 30
