from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments import services
from experiments.assignment import hash_fraction
from experiments.errors import InvalidTraffic, LayerTaken, WrongState
from experiments.models import Assignment, Experiment, Layer
from experiments.services import VariantSpec
from experiments.traffic.layers import LayerPart, free_parts, free_text, taken_parts
from personalization.segments.services import save_segment


@pytest.fixture
def layer(db):
    return Layer.objects.create(key="page", name="Front page")


def part(layer, start, end):
    return LayerPart(layer, Decimal(start), Decimal(end))


def test_experiments_of_one_layer_share_no_customers(layer, make_experiment, make_customers, start):
    ids = [customer.pk for customer in make_customers(300)]
    one = make_experiment(key="one", layer_part=part(layer, "0", "0.4"))
    two = make_experiment(key="two", layer_part=part(layer, "0.4", "1"))
    for experiment in (one, two):
        services.assign(experiment, ids, at=start)
    first, second = (
        set(Assignment.objects.filter(experiment=e).values_list("customer__external_id", flat=True))
        for e in (one, two)
    )
    assert first == {f"c-{n}" for n in range(300) if hash_fraction("layer:page", f"c-{n}") < 0.4}
    assert not first & second
    assert len(first | second) == 300
    assert set(one.assignments.values_list("propensity", flat=True)) == {0.2}


def test_a_taken_part_is_refused_and_the_free_ones_are_named(layer, make_experiment):
    make_experiment(key="one", layer_part=part(layer, "0.2", "0.5"))
    with pytest.raises(LayerTaken, match=r"0 to 0\.2, 0\.5 to 1"):
        make_experiment(key="two", layer_part=part(layer, "0.4999", "0.6"))
    make_experiment(key="two", layer_part=part(layer, "0.5", "0.6"))


def test_the_end_of_an_experiment_frees_its_part(layer, make_experiment, start):
    services.end_experiment(make_experiment(key="one", layer_part=part(layer, "0", "1")), at=start)
    make_experiment(key="two", layer_part=part(layer, "0", "1"))
    assert free_text(taken_parts(layer)) == "nothing is free"


def test_a_part_outside_the_layer_is_refused(layer, make_experiment):
    for start, end in (("0.5", "0.5"), ("0.6", "0.5"), ("-0.1", "0.5"), ("0.5", "1.1")):
        with pytest.raises(InvalidTraffic):
            make_experiment(layer_part=part(layer, start, end))


def test_the_database_itself_refuses_overlaps(layer, make_experiment):
    other = Layer.objects.create(key="other", name="Other")
    make_experiment(key="one", layer_part=part(layer, "0", "0.5"))
    two = make_experiment(key="two", layer_part=part(other, "0", "0.5"))
    make_experiment(key="three")
    with pytest.raises(IntegrityError, match="layer_ranges_apart"), transaction.atomic():
        Experiment.objects.filter(pk=two.pk).update(layer=layer, layer_start="0.4")


BOUNDS = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.lists(BOUNDS, min_size=2, max_size=8))
def test_whatever_is_asked_for_parts_never_overlap(layer, wishes):
    specs = [VariantSpec("a", "A", 1), VariantSpec("b", "B", 1)]
    with transaction.atomic():
        for number, (low, high) in enumerate(wishes):
            wish = LayerPart(layer, Decimal(low) / 10_000, Decimal(high) / 10_000)
            try:
                services.create_experiment(key=f"e-{number}", name="E", variants=specs, layer_part=wish)
            except (LayerTaken, InvalidTraffic):
                continue
        taken = taken_parts(layer)
        transaction.set_rollback(True)
    assert all(one.end <= other.start for one, other in pairwise(taken))
    covered = sum((p.end - p.start for p in taken), Decimal(0))
    assert covered + sum((high - low for low, high in free_parts(taken)), Decimal(0)) == 1


def test_a_ramp_takes_more_in_and_moves_nobody(make_experiment, make_customers, start):
    ids = [customer.pk for customer in make_customers(200)]
    experiment = make_experiment(coverage=0.2)
    services.start_experiment(experiment, at=start)
    before = services.assign(experiment, ids, at=start)
    services.change_coverage(experiment, coverage=0.6)
    after = services.assign(experiment, ids, at=start)
    inside = {pk for pk, (variant, _) in before.items() if variant}
    assert {pk: after[pk] for pk in inside} == {pk: before[pk] for pk in inside}
    assert len(inside) < sum(variant is not None for variant, _ in after.values())


def test_coverage_is_not_lowered_after_the_start_and_not_changed_after_the_end(make_experiment, start):
    experiment = make_experiment(coverage=0.5)
    services.change_coverage(experiment, coverage=0.4)
    services.start_experiment(experiment, at=start)
    with pytest.raises(InvalidTraffic, match="End the experiment"):
        services.change_coverage(experiment, coverage=0.3)
    services.end_experiment(experiment, at=start)
    with pytest.raises(WrongState):
        services.change_coverage(experiment, coverage=0.9)


def test_only_members_of_the_segment_take_part(make_experiment, make_customers, start):
    customers = make_customers(20)
    for customer in customers[:8]:
        customer.country = "GB"
        customer.save(update_fields=["country"])
    version = save_segment(None, name="British", definition={"trait": "country", "op": "is", "value": "GB"})
    experiment = make_experiment(segment_version=version)
    found = services.assign(experiment, [c.pk for c in customers], at=start)
    assert {pk for pk, (variant, _) in found.items() if variant} == {c.pk for c in customers[:8]}
    assert found[customers[9].pk] == (None, 1.0)


def test_test_accounts_are_not_counted(make_experiment, make_customers, start):
    customers = make_customers(3)
    specs = [VariantSpec("a", "A", 1, forced_ids=["c-0"]), VariantSpec("b", "B", 1)]
    found = services.assign(make_experiment(variants=specs), [c.pk for c in customers], at=start)
    assert found[customers[0].pk] == (None, 1.0)
    assert Assignment.objects.count() == 2
