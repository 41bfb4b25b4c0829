import stat

import numpy as np
import pytest
from django.utils import timezone

from campaigns.models import Campaign, Run, RunStatus
from campaigns.services import check_campaign, launch
from experiments.models import Metric
from personalization.access.authentication import authenticate_key
from personalization.access.models import ApiKey
from personalization.catalog.models import Item
from personalization.customers.models import Consent, Customer
from personalization.demo import services
from personalization.demo.behavior import simulate_year
from personalization.demo.errors import StillSending
from personalization.demo.world import build_world
from personalization.events.models import Event
from personalization.segments.models import Discovery, Segment
from personalization.segments.selectors import members
from recommender.models import ModelRun
from recommender.models import RunStatus as ModelStatus


@pytest.fixture
def small():
    return build_world(seed=9, n_customers=1200, n_items=240)


@pytest.fixture
def shop(db, settings, tmp_path, small):
    settings.DATA_DIR = tmp_path
    services.load_shop(small)
    return small


def test_loading_writes_the_whole_world_and_says_what(db, settings, tmp_path, small):
    settings.DATA_DIR = tmp_path

    loaded = services.load_shop(small)

    assert (Customer.objects.count(), Item.objects.count()) == (1200, 240) == (loaded.customers, loaded.items)
    assert Event.objects.count() == loaded.events
    assert Consent.objects.filter(granted=True).count() == small.customers.consented.sum()


def test_loading_twice_changes_nothing(shop):
    before = Event.objects.count()

    assert services.load_shop(shop) is None
    assert Event.objects.count() == before
    assert ApiKey.objects.count() == 1


def test_no_event_lies_in_the_future_and_money_adds_up(shop):
    assert not Event.objects.filter(occurred_at__gt=timezone.now()).exists()
    order = Event.objects.filter(name="Order Completed").first()
    lines = Event.objects.filter(name="Order Line", properties__order_id=order.properties["order_id"])
    assert order.value == sum(line.value for line in lines) > 0
    assert {line.item.external_id for line in lines} == {
        product["product_id"] for product in order.properties["products"]
    }


def test_the_key_for_simulated_customers_can_only_send_events_and_is_readable_by_its_owner_alone(shop):
    key = authenticate_key(services.read_key())

    assert key.scopes == ["ingest"]
    assert stat.S_IMODE(services.key_path().stat().st_mode) == 0o600


def test_everything_is_ready_to_launch(shop):
    campaign = Campaign.objects.get()

    assert not [check for check in check_campaign(campaign) if check.level == "error"]
    assert campaign.messages.count() == 2
    assert Segment.objects.count() == 3
    assert set(Discovery.objects.values_list("kind", "status")) == {
        ("groups", "waiting"), ("lookalikes", "waiting"),
    }  # fmt: skip
    assert Metric.objects.filter(role="primary").exists()
    assert ModelRun.objects.get().status == ModelStatus.QUEUED


def test_the_segment_of_lapsed_customers_finds_the_planted_group(shop):
    found = set(
        members(Segment.objects.get(name="Slipping away").current, now=timezone.now()).values_list(
            "external_id", flat=True
        )
    )
    planted = {shop.customers.external_id[row] for row in np.flatnonzero(shop.customers.lapsed)}

    assert len(found & planted) / len(found) > 0.6
    assert len(found & planted) / len(planted) > 0.5


def test_removing_leaves_what_is_one_s_own(shop):
    mine = Customer.objects.create(external_id="mine", created_at=timezone.now())

    assert services.remove_shop() == 1200
    assert list(Customer.objects.all()) == [mine]
    assert not Item.objects.exists()
    assert not Event.objects.exists()
    assert not ApiKey.objects.filter(revoked_at=None).exists()
    assert services.read_key() is None


def test_a_closed_shop_can_be_opened_again_and_has_everything_once(shop):
    launch(Campaign.objects.get(), actor="test")
    Run.objects.update(status=RunStatus.FINISHED)
    services.remove_shop()

    assert services.load_shop(shop) is not None
    assert Campaign.objects.count() == 1
    assert ModelRun.objects.count() == 1
    assert Segment.objects.count() == 3
    assert not Run.objects.exists()


def test_the_shop_stays_open_while_its_campaign_is_being_sent(shop):
    launch(Campaign.objects.get(), actor="test")

    with pytest.raises(StillSending):
        services.remove_shop()
    assert Customer.objects.exists()


def test_the_shop_window_speaks_the_reader_s_language(shop, client):
    path = "/demo/items/demo-i001/"
    item = Item.objects.get(external_id="demo-i001")

    assert item.name in client.get(path).text
    assert item.translations["zh"]["name"] in client.get(path, headers={"accept-language": "zh-CN"}).text
    assert client.get("/demo/").status_code == 200
    assert client.get("/demo/items/demo-i999/").status_code == 404


def test_pictures_are_drawn_on_demand(client):
    answer = client.get("/demo/pictures/0-1-2-3.svg")

    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.startswith(b"<svg")
    assert client.get("/demo/pictures/0-9-2-3.svg").status_code == 404


def test_the_simulated_year_is_what_was_loaded(shop):
    year = simulate_year(shop)

    assert abs(Event.objects.count() - len(year)) < 0.1 * len(year)  # seasons start on another day
