"""A list of next best actions that tells customers apart: what is kept, learned, drawn by and said."""

from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from campaigns.onsite import live, services, showing
from campaigns.onsite.deciding import decide
from campaigns.onsite.errors import InvalidOffer
from campaigns.onsite.features import Column, columns_of, seen_as, vector
from campaigns.onsite.models import Order
from campaigns.onsite.next_best import FLOOR, MEASURED, TAILORED, measure_gains
from campaigns.onsite.visitors import Visitor
from experiments.exposures import EXPOSURE
from experiments.models import Assignment, Metric
from personalization.access.models import User
from personalization.customers.models import Customer, TraitDeclaration
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events
from recommender.inputs.moment import Moment

pytestmark = pytest.mark.django_db
NOW = timezone.now()
START = NOW - timedelta(days=9)


@pytest.fixture
def actions(db):
    metric = Metric.objects.create(
        key="spent", name="Spent", kind="revenue", event="Order Completed", window_days=7, direction="up"
    )
    return services.save_placement(
        None, key="next", name="Next", fallback="<p>Nothing</p>", order=Order.INCREMENTAL, actor="test",
        metric=metric, tells_apart=["device", "visits"],
    )  # fmt: skip


@pytest.fixture
def learned(make_offer, make_customers, actions):
    """Two offers, each seen by `n` customers on either side: one earns 8 more on phones and 8 less on
    desktops, the other the opposite, so that both earn nothing from all."""

    def learn(n=70):
        people = iter(make_customers(4 * n))
        offers = {name: make_offer(name, placement=actions, control_share=0.5) for name in ("app", "big")}
        rows, events = [], []
        for name, offer in offers.items():
            offer.experiment.started_at = START - timedelta(days=1)
            offer.experiment.save()
            for variant in offer.experiment.variants.all():
                for turn in range(n):
                    customer, device = next(people), ("mobile", "desktop")[turn % 2]
                    rows.append(Assignment(
                        experiment=offer.experiment, customer=customer, variant=variant, propensity=0.5,
                        assigned_at=START,
                    ))  # fmt: skip
                    sign = 1 if (device == "mobile") == (name == "app") else -1
                    value = 20 + turn % 3 + (0 if variant.is_control else 8 * sign)
                    events += [
                        NewEvent(
                            customer.pk, f"o-{customer.pk}", "Order Completed", START + timedelta(hours=1),
                            value=value,
                        ),
                        NewEvent(customer.pk, f"e-{customer.pk}", EXPOSURE, START, properties={
                            "experimentId": offer.experiment.key,
                            "seenAs": {"device": device, "visits": float(turn % 5)},
                        }),
                    ]  # fmt: skip
        Assignment.objects.bulk_create(rows)
        record_events(events)
        measure_gains(now=NOW)
        live.forget()
        return offers

    return learn


def ask(device, person="v-1"):
    details = {"device": {"kind": device}}
    visitor = Visitor(None, person, person)
    return decide(visitor, ["next"], known=live.live(), moment=Moment(), now=NOW, details=details)[0]


def test_each_kind_of_customer_gets_what_earns_most_from_it_and_is_told_why(learned):
    offers = learned(100)
    for device, best, other in (("mobile", "app", "big"), ("desktop", "big", "app")):
        found = ask(device)
        first, second = found.ranking
        assert (first.offer_id, first.basis, second.offer_id) == (offers[best].pk, TAILORED, offers[other].pk)
        assert first.value == pytest.approx(8, abs=0.5) and second.value == pytest.approx(-8, abs=0.5)
        assert first.low < 8 < first.high and first.customers == 200
        assert first.chance == pytest.approx(1 - 2 * FLOOR, abs=1e-6)
        assert second.chance == pytest.approx(FLOOR, abs=1e-6)
        assert found.offer.pk == offers[best].pk and found.propensity == pytest.approx(first.chance * 0.5)
    why = ask("mobile").ranking[0].because
    assert why[0].label == "device: mobile" and why[0].adds == pytest.approx(8, abs=0.5)


def test_until_there_is_enough_an_offer_is_worth_the_same_for_everybody(learned):
    learned(60)  # 30 to each of three columns would be 90 on either side
    for device in ("mobile", "desktop"):
        assert {one.basis for one in ask(device).ranking} == {MEASURED}
        assert all(abs(one.value) < 1 and one.because == () for one in ask(device).ranking)


def test_a_list_that_is_told_not_to_tells_nobody_apart(learned, actions):
    learned(100)
    services.save_placement(
        actions, key="next", name="Next", fallback="", order=Order.INCREMENTAL, actor="test",
        metric=actions.metric,
    )  # fmt: skip
    live.forget()
    assert {one.basis for one in ask("mobile").ranking} == {MEASURED}
    measure_gains(now=NOW)
    assert "seen_as" not in actions.offers.first().outcomes


def test_what_was_known_is_kept_with_what_was_seen_but_nothing_encrypted(
    make_offer, actions, make_customers, program, at_once
):
    make_offer("app", placement=actions, control_share=0.5)
    make_customers(4)
    Customer.objects.update(traits={"visits": 3, "size": "XL"})
    body = {"customer": "c-3", "placements": ["next"], "context": {"device": {"type": "ios"}}}
    shown = [program.post("/api/v1/decide", body | {"customer": f"c-{n}"}, content_type="application/json")
             for n in range(4)]  # fmt: skip
    drawn = [one.json()["placements"][0] for one in shown]
    showing.move()
    seen = list(Event.objects.filter(name=EXPOSURE).values_list("properties__seenAs", flat=True))
    assert len(seen) == sum(bool(one["token"]) for one in drawn) > 0
    assert all(one == {"device": "mobile", "visits": 3.0} for one in seen)
    Event.objects.all().delete()
    TraitDeclaration.objects.create(name="visits", value_type="number", is_encrypted=True)
    for n in range(4):
        program.post("/api/v1/decide", body | {"customer": f"c-{n}"}, content_type="application/json")
    showing.move()
    assert all(
        one == {"device": "mobile"}
        for one in Event.objects.filter(name=EXPOSURE).values_list("properties__seenAs", flat=True)
    )
    with pytest.raises(InvalidOffer) as refused:
        services.save_placement(
            actions, key="next", name="Next", fallback="", order=Order.INCREMENTAL, actor="test",
            metric=actions.metric, tells_apart=["visits"],
        )  # fmt: skip
    assert [one["pointer"] for one in refused.value.errors] == ["/tells_apart"]


def test_numbers_and_texts_become_columns_with_the_commonest_as_the_measure():
    rows = [{"device": "mobile", "visits": 1.0}] * 60 + [{"device": "tablet", "visits": 3.0}] * 39
    rows += [{"device": "tv", "visits": 2.0}]
    columns = columns_of(rows)
    assert [(one.name, one.value) for one in columns] == [("visits", None), ("device", "tablet")]
    deviation = np.std([row["visits"] for row in rows])
    assert vector(columns, {"device": "tablet", "visits": 3.0}) == pytest.approx(
        [1, (3 - 1.79) / deviation, 1]
    )
    assert list(vector(columns, {})) == [1, 0, 0]
    assert Column("visits", None, 0.0, 1.0).of({"visits": 1e9}) == 3.0
    rows[0] = {"visits": 1.0}  # not known of everybody: then the commonest says something, too
    assert {one.value for one in columns_of(rows)} == {None, "mobile", "tablet"}


def test_what_is_not_known_is_left_out():
    profile = {
        "country": "",
        "language": "zh_Hans",
        "traits": {"vip": True, "tags": ["a"], "n": float("nan")},
    }
    names = ("device", "daypart", "weekend", "country", "language", "vip", "tags", "n", "none")
    details = {"daypart": "evening", "is_weekend": False}
    assert seen_as(profile, details, names) == {
        "daypart": "evening", "weekend": "no", "language": "zh", "vip": "yes",
    }  # fmt: skip


def test_the_page_says_what_one_customer_would_be_shown_and_why(learned, client):
    learned(100)
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_placement"))
    client.force_login(user)
    url = reverse("onsite:why", args=["next"])
    assert client.get(url).status_code == 200
    assert client.post(url, {"customer": "c-1"}).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_placement", "view_customer"]))
    page = client.post(url, {"customer": "c-1", "device": "mobile"}).content.decode()
    assert "device: mobile" in page and "96 %" in page
    page = client.post(url, {"customer": "c-1"}).content.decode()
    assert "device: mobile" not in page
    assert "Nobody is found" in client.post(url, {"customer": "nobody"}).content.decode()


def test_the_api_names_what_tells_customers_apart(actions, client):
    from personalization.access.services import create_key

    _key, token = create_key(name="k", scopes=["campaigns:read", "campaigns:write"])
    headers = {"authorization": f"Bearer {token}"}
    kept = client.get("/api/v1/placements/next", headers=headers).json()
    assert kept["tells_apart"] == ["device", "visits"]
    answer = client.put(
        "/api/v1/placements/next", kept | {"tells_apart": ["x"] * 11}, headers=headers,
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code == 400
    answer = client.put(
        "/api/v1/placements/next", kept | {"tells_apart": ["country"]}, headers=headers,
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code == 200 and answer.json()["tells_apart"] == ["country"]
