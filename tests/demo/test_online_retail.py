"""Online Retail. The data is not part of the repository: tests on it are skipped where it is absent."""

import os
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from personalization.catalog.models import Item
from personalization.customers.models import Consent, Customer
from personalization.demo import online_retail
from personalization.demo.errors import LoadError
from personalization.demo.online_retail import OnlineRetail, Totals, load
from personalization.events.models import Event
from tests.demo.test_journey import FOLDER, _quiet

FILE = FOLDER / "online-retail-uci-2010-2011.parquet"
needs_data = pytest.mark.skipif(
    not FILE.is_file(), reason="Online Retail is not there (BESPOKE_SHARED_DATA names its folder)"
)
NAMES = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
LINES = [
    ("536365", "A1", "MUG", 6, "2010-12-01T08:26:00", 2.55, 17850, "United Kingdom"),
    ("536365", "A1", "MUG", 6, "2010-12-01T08:26:00", 2.55, 17850, "United Kingdom"),
    ("536370", "B2", "Unknown", 3, "2010-12-01T08:45:00", 0.001, 12583, "EIRE"),
    ("C536379", "A1", "Unknown", -1, "2010-12-01T09:41:00", 2.55, 17850, "United Kingdom"),
    ("536414", "C3", "LAMP", 56, "2010-12-01T11:52:00", 0.0, None, "European Community"),
]


@pytest.fixture
def made_up(tmp_path):
    """Five lines of the same shape, so that the mapping is tested everywhere."""
    columns = dict(zip(NAMES, zip(*LINES, strict=True), strict=True))
    times = [datetime.fromisoformat(text) for text in columns["InvoiceDate"]]
    table = pa.table(
        {name: pa.array(cells) for name, cells in columns.items() if name not in ("InvoiceDate", "Quantity")}
        | {
            "InvoiceDate": pa.array(times, pa.timestamp("ns")),
            "Quantity": pa.array(columns["Quantity"], pa.int32()),
            "CustomerID": pa.array(columns["CustomerID"], pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "retail.parquet")
    return OnlineRetail(tmp_path / "retail.parquet")


def test_lines_cancellations_guests_and_items_land_where_they_belong(db, made_up):
    totals = load(made_up, say=_quiet)

    assert totals == Totals(lines=5, canceled=1, customers=2, guests=1, value=Decimal("28.05"))
    bought = Event.objects.filter(name="Order Line", customer__external_id="17850")
    assert [event.value for event in bought] == [
        Decimal("15.30"),
        Decimal("15.30"),
    ]  # 6 × 2.55, two equal lines
    assert bought[0].properties == {
        "InvoiceNo": "536365", "Description": "MUG", "Quantity": 6, "UnitPrice": 2.55,
    }  # fmt: skip
    canceled = Event.objects.get(name="Order Line Canceled")
    assert (canceled.value, canceled.item.external_id) == (Decimal("-2.55"), "A1")
    assert dict(Item.objects.values_list("external_id", "name")) == {"A1": "MUG", "B2": "B2", "C3": "LAMP"}
    assert Item.objects.get(external_id="A1").price == Decimal("2.55")
    guest = Customer.objects.get(external_id="guest-536414")
    assert (guest.country, guest.traits) == ("", {"guest": True, "country_name": "European Community"})
    assert Customer.objects.get(external_id="12583").country == "IE"
    assert Customer.objects.get(external_id="17850").created_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert not Consent.objects.exists()


def test_loading_twice_adds_nothing(db, made_up):
    assert load(made_up, say=_quiet) == load(made_up, say=_quiet)


def test_a_difference_to_the_file_is_an_error(db, made_up, monkeypatch):
    monkeypatch.setattr(online_retail, "_lines", lambda shop: [])
    with pytest.raises(LoadError, match=r"The file holds .*28\.05.*, the database .*lines=0"):
        load(made_up, say=_quiet)


def test_another_file_is_refused_with_what_it_lacks(tmp_path):
    pq.write_table(pa.table({"InvoiceNo": ["1"]}), tmp_path / "other.parquet")
    with pytest.raises(CommandError, match="lacks the columns StockCode"):
        call_command("online_retail", str(tmp_path / "other.parquet"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("online_retail", str(tmp_path / "none.parquet"))


@needs_data
@pytest.mark.slow
def test_the_first_lines_of_the_real_file_agree_to_the_cent(db):
    totals = load(OnlineRetail(FILE, lines=20_000), say=_quiet)

    assert totals.lines == Event.objects.count() == 20_000


@needs_data
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("BESPOKE_WHOLE"), reason="a minute; BESPOKE_WHOLE=1 asks for it")
def test_the_whole_year_agrees_to_the_row_and_the_cent(db):
    totals = load(OnlineRetail(FILE), say=_quiet)

    assert totals == Totals(541_909, 9_288, 4_372, 3_710, Decimal("9747747.93"))
    assert Item.objects.count() == 4_070
