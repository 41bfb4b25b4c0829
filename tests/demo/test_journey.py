"""Complete Journey. The data is not part of the repository: tests on it are skipped where it is absent."""

import os
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db.models import F

from personalization.access.models import ApiKey, Scope
from personalization.catalog.models import Item
from personalization.customers.models import Consent, Customer
from personalization.demo import journey_campaign as job
from personalization.demo.api_client import api_access
from personalization.demo.journey import (
    HOUSEHOLDS,
    LINES,
    PRODUCTS,
    REDEMPTIONS,
    TOTAL,
    Journey,
    JourneyError,
    check_total,
    load,
)
from personalization.events.models import Event

FOLDER = Path(
    os.environ.get("BESPOKE_SHARED_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
needs_data = pytest.mark.skipif(
    not (FOLDER / "completejourney-transactions.parquet").is_file(),
    reason="Complete Journey is not there (BESPOKE_SHARED_DATA names its folder)",
)


def _quiet(_text):
    return None


@pytest.fixture
def made_up(tmp_path):
    """Two households in files of the same shape, so that the mapping is tested everywhere."""
    at = [pa.scalar(text).cast(pa.timestamp("ns")) for text in ("2017-11-01T10:00:00", "2017-12-24T18:30:00")]
    tables = {
        "transactions": {
            "household_id": pa.array([1, 2], pa.int32()), "store_id": [330, 331], "basket_id": [10, 11],
            "product_id": [7, 8], "quantity": [1, 2], "sales_value": pa.array([0.99, 1500.5], pa.float32()),
            "retail_disc": pa.array([0.1, 0], pa.float32()),
            "transaction_timestamp": pa.array([value.as_py() for value in at], pa.timestamp("ns")),
        },
        "products": {
            "product_id": [7, 8], "manufacturer_id": [1, 2], "department": ["GROCERY", "MISC"],
            "brand": ["National", "Private"], "product_category": ["ICE", None],
            "product_type": ["CUBED", None], "package_size": ["22 LB", None],
        },
        "demographics": {"household_id": [2], "age": ["45-54"], "kids_count": ["0"]},
        "coupon_redemptions": {
            "household_id": [2], "coupon_upc": [51], "campaign_id": [26],
            "redemption_date": pa.array([at[0].as_py()], pa.timestamp("ns")),
        },
    }  # fmt: skip
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), tmp_path / f"completejourney-{name}.parquet")
    return tmp_path


def test_lines_products_traits_and_redemptions_land_where_they_belong(db, made_up):
    keys = load(Journey(made_up), say=_quiet)

    line = Event.objects.get(name="Order Line", customer__external_id="1")
    assert (line.value, line.item.external_id, line.properties["basket_id"]) == (Decimal("0.99"), "7", 10)
    assert Item.objects.get(external_id="7").name == "CUBED 22 LB"
    assert Item.objects.get(external_id="7").categories == ["GROCERY", "ICE", "CUBED"]
    assert Item.objects.get(external_id="8").categories == ["MISC"]
    assert Customer.objects.get(external_id="2").traits["age"] == "45-54"
    assert Event.objects.get(name="Coupon Redeemed").properties["campaign_id"] == 26
    assert Customer.objects.get(external_id="1").email == "household-1@example.com"
    assert Consent.objects.filter(granted=True, customer__in=keys).count() == len(keys) == 2


def test_loading_twice_adds_nothing(db, made_up):
    load(Journey(made_up), say=_quiet)
    load(Journey(made_up), say=_quiet)

    assert (Event.objects.count(), Customer.objects.count(), Consent.objects.count()) == (3, 2, 2)


def test_a_cent_too_much_or_too_little_is_refused(db, made_up):
    keys = load(Journey(made_up), say=_quiet)

    assert check_total(keys, expected=Decimal("1501.49")) == Decimal("1501.49")
    with pytest.raises(JourneyError, match="add up to"):
        check_total(keys, expected=Decimal("1501.50"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(JourneyError, match="completejourney-transactions"):
        Journey(tmp_path).check()


def test_the_segment_finds_who_spent_over_a_thousand(db, made_up):
    load(Journey(made_up), say=_quiet)
    said = []

    job.find_segment(say=said.append)

    assert "1 households" in said[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["pages", "api"])
def test_the_campaign_has_four_variants_and_a_control_either_way(made_up, live_server, way):
    load(Journey(made_up), say=_quiet)
    segment = job.find_segment(say=_quiet)

    if way == "api":
        scopes = [Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_WRITE]
        with api_access(live_server.url, "", name="test", scopes=scopes) as api:
            run = job.save_and_launch_by_api(segment, api)
            found = api.call(f"/api/v1/campaigns/{run.campaign_id}")
        assert ApiKey.objects.get().revoked_at is not None
        assert found["messages"][3]["rules"]["bought"] == "only"
    else:
        run = job.save_and_launch(segment)

    keys = run.experiment.variants.order_by("position").values_list("key", flat=True)
    assert sorted(keys) == ["again", "control", "picks", "plain", "three"]
    assert run.audience_size == 1
    counts = dict(run.campaign.messages.values_list("key", "item_count"))
    assert (counts["picks"], counts["three"]) == (6, 3)


@needs_data
@pytest.mark.slow
def test_a_part_of_the_real_data_adds_up_and_can_be_learned_from(db, settings, tmp_path):
    settings.MODEL_DIR = tmp_path
    journey = Journey(FOLDER, households=60)
    expected = sum(
        Decimal(f"{value:.2f}") for batch in journey.batches("transactions")
        for value in batch["sales_value"].to_pylist()
    )  # fmt: skip
    keys = load(journey, say=_quiet)

    assert check_total(keys, expected=expected) > 0
    assert Item.objects.exclude(name=F("external_id")).count() == PRODUCTS
    assert job.train_model(say=_quiet).is_champion


@needs_data
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("BESPOKE_WHOLE"), reason="two minutes; BESPOKE_WHOLE=1 asks for it")
def test_the_whole_year_is_loaded_to_the_cent(db):
    keys = load(Journey(FOLDER), say=_quiet)

    assert check_total(keys) == TOTAL
    assert len(keys) == HOUSEHOLDS
    assert Event.objects.filter(name="Order Line").count() == LINES
    assert Event.objects.filter(name="Coupon Redeemed").count() == REDEMPTIONS
