"""Lists of next best actions: what is measured, what is drawn by it, and what is said of it."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.onsite import live, services
from campaigns.onsite.deciding import decide
from campaigns.onsite.errors import InvalidOffer, OfferState
from campaigns.onsite.models import Offer, Order
from campaigns.onsite.next_best import FLOOR, MEASURED, UNKNOWN, measure_gains
from campaigns.onsite.visitors import Visitor
from experiments.models import Assignment, Metric
from personalization.events.services import NewEvent, record_events
from recommender.inputs.moment import Moment

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def orders(db):
    return Metric.objects.create(
        key="spent", name="Spent", kind="revenue", event="Order Completed", window_days=7, direction="up"
    )


@pytest.fixture
def actions(orders):
    return services.save_placement(
        None, key="next", name="Next", fallback="<p>Nothing</p>", order=Order.INCREMENTAL, actor="test",
        metric=orders,
    )  # fmt: skip


@pytest.fixture
def measured(make_offer, make_customers, actions):
    """Call with offer → (spent by those who were given it, by its control), each by 40 customers."""

    def measure(**spent):
        people = iter(make_customers(80 * len(spent)))
        offers = {}
        for name, sides in spent.items():
            offer = offers[name] = make_offer(name, placement=actions, control_share=0.5)
            for variant in offer.experiment.variants.all():
                for turn in range(40):
                    customer = next(people)
                    at = NOW - timedelta(days=9)
                    Assignment.objects.create(
                        experiment=offer.experiment, customer=customer, variant=variant, propensity=0.5,
                        assigned_at=at,
                    )  # fmt: skip
                    value = sides[variant.is_control] + turn % 3
                    record_events(
                        [NewEvent(customer.pk, f"o-{customer.pk}", "Order Completed",
                                  at + timedelta(hours=1), value=value)]
                    )  # fmt: skip
        measure_gains(now=NOW)
        return offers

    return measure


def ask(person="v-1"):
    live.forget()
    return decide(
        Visitor(None, person, person), ["next"], known=live.live(), moment=Moment(), now=NOW, details={}
    )[0]


def test_what_earns_most_beyond_its_control_is_shown_with_the_reason(measured):
    offers = measured(large=(30, 20), small=(23, 20), harmful=(5, 20))
    found = ask()
    assert found.offer.pk == offers["large"].pk
    assert [(one.offer_id, one.basis, round(one.value, 9)) for one in found.ranking] == [
        (offers["large"].pk, MEASURED, 10.0),
        (offers["small"].pk, MEASURED, 3.0),
        (offers["harmful"].pk, MEASURED, -15.0),
    ]
    best = found.ranking[0]
    assert best.low < 10 < best.high and best.customers == 80
    assert best.chance == pytest.approx(1 - 3 * FLOOR, abs=1e-3)
    # The control group of the drawn offer sees the default content; both are known by their chance.
    assert found.propensity == pytest.approx(best.chance * 0.5)
    assert sorted(why for _, why in found.trail) == ["less_value", "less_value"]


def test_where_every_offer_does_harm_nothing_is_shown(measured):
    measured(harmful=(5, 20), worse=(2, 20))
    found = ask()
    assert (found.reason, found.content, found.offer) == ("nothing_is_better", "<p>Nothing</p>", None)
    assert found.propensity == pytest.approx(1 - 2 * FLOOR, abs=1e-3)
    assert len(found.ranking) == len(found.trail) == 2


def test_an_offer_without_evidence_is_explored_and_says_so(measured, make_offer, actions):
    offers = measured(large=(30, 20))
    new = make_offer("New", placement=actions, control_share=0.5)
    found = ask()
    assert [(one.offer_id, one.basis) for one in found.ranking] == [
        (offers["large"].pk, MEASURED),
        (new.pk, UNKNOWN),
    ]
    drawn = Counter(one.pk for n in range(60) if (one := ask(f"v-{n}").offer))
    assert found.ranking[1].chance == pytest.approx(1 / 3 * (1 - 3 * FLOOR) + FLOOR)
    assert drawn[offers["large"].pk] > drawn[new.pk] > 5


def test_limits_come_before_what_is_earned(measured, make_customers):
    offers = measured(large=(30, 20), small=(23, 20))
    Offer.objects.filter(pk=offers["large"].pk).update(ends_at=NOW - timedelta(days=1))
    assert [one.offer_id for one in ask().ranking] == [offers["small"].pk]


def test_with_another_metric_what_was_measured_is_no_evidence_any_more(measured, actions):
    measured(large=(30, 20))
    other = Metric.objects.create(
        key="ordered", name="Ordered", kind="conversion", event="Order Completed", window_days=7
    )
    services.save_placement(
        actions, key="next", name="Next", fallback="", order=Order.INCREMENTAL, actor="test", metric=other
    )
    assert [one.basis for one in ask().ranking] == [UNKNOWN]


def test_a_list_says_what_it_needs(actions, make_offer):
    with pytest.raises(InvalidOffer) as refused:
        services.save_placement(
            None, key="n2", name="N", fallback="", order=Order.INCREMENTAL, actor="test", metric=None
        )
    assert [one["pointer"] for one in refused.value.errors] == ["/metric"]
    offer = make_offer("Bare", placement=actions, start=False)
    with pytest.raises(OfferState, match="control share"):
        services.start_offer(offer, at=NOW, actor="test")


def test_the_chance_is_written_down_with_what_was_seen(measured, program, at_once, make_customers):
    from campaigns.onsite import showing
    from personalization.events.models import Event

    measured(large=(30, 20))
    found = program.post(
        "/api/v1/decide", {"customer": "c-3", "placements": ["next"]}, content_type="application/json"
    ).json()["placements"][0]
    assert found["ranking"][0]["basis"] == MEASURED and found["reason"] in ("chosen", "control")
    showing.move()
    seen = Event.objects.get(name="Message Opened")
    assert seen.properties["propensity"] == pytest.approx(found["propensity"], abs=1e-5)
