"""`manage.py load` on files as shops and spreadsheets write them."""

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from personalization.catalog.models import Item
from personalization.customers.models import Consent, Customer
from personalization.events.importing import load_batches
from personalization.events.models import Event
from personalization.events.occurrences import OccurrenceCounter
from personalization.importing.reading import sniff_encoding

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path: Path, capsys):
    """Writes a file and loads it; answers the printed counts and the rejected (line, reason) pairs."""

    def run(kind: str, content: str | bytes, *options: str, name: str = "file.csv") -> tuple[str, list]:
        path, rejects = tmp_path / name, tmp_path / "rejects.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        call_command("load", kind, str(path), "--rejects", str(rejects), *options)
        with rejects.open(encoding="utf-8-sig", newline="") as file:
            rows = [(int(row["rejected line"]), row["rejected because"]) for row in csv.DictReader(file)]
        return capsys.readouterr().out.strip(), rows

    return run


CUSTOMERS = "customer_id,Email,First name,plan\n1,a@example.com,Ada,gold\n2,b@example.com,Bob,\n"


def test_customers_are_loaded_and_the_same_file_again_changes_nothing(load):
    assert load("customers", CUSTOMERS)[0] == "2 rows: 2 new, 0 changed, 0 unchanged, 0 rejected"
    before = list(Customer.objects.order_by("pk").values())
    assert load("customers", CUSTOMERS)[0] == "2 rows: 0 new, 0 changed, 2 unchanged, 0 rejected"
    assert list(Customer.objects.order_by("pk").values()) == before
    ada, bob = Customer.objects.order_by("external_id")
    assert (ada.email, ada.first_name, ada.traits, bob.traits) == (
        "a@example.com",
        "Ada",
        {"plan": "gold"},
        {},
    )
    assert not Consent.objects.exists()


def test_an_empty_cell_changes_nothing_and_a_later_line_wins(load):
    load("customers", CUSTOMERS)
    out, _rejects = load("customers", "id,email,plan\n1,,silver\n1,,bronze\n")
    assert "1 changed" in out
    ada = Customer.objects.get(external_id="1")
    assert (ada.email, ada.traits) == ("a@example.com", {"plan": "bronze"})


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffid;city\r\n7;Köln\r\n".encode(),
        "id\tcity\n7\tKöln\n".encode("utf-16"),
        "id;city\n7;Köln\n".encode("cp1252"),
        'sep=;\nid;city\n="7";"Köln"\n'.encode(),
    ],
)
def test_excels_habits_are_understood(load, content):
    assert load("customers", content)[1] == []
    assert Customer.objects.values_list("external_id", "city").get() == ("7", "Köln")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id,email,city\n7,wang@example.cn,上海市\n8,li@example.cn,朱镕基路\n", "gb18030"),
        ("客户编号,城市\n7,北京\n", "gb18030"),
        ("id;city\n7;Größe Äußere Straße Œuvre Île\n", "cp1252"),
        ("id;size\n7;Größe\n", "cp1252"),
        ("id;city\n7;Ööö\n8;Köln\n9;Zürich\n10;Málaga\n", "cp1252"),
    ],
)
def test_the_encoding_is_the_one_excel_saves_in_there(tmp_path, text, encoding):
    path = tmp_path / "people.csv"
    path.write_bytes(text.encode(encoding))
    assert sniff_encoding(path) == encoding


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("people.xlsx", b"PK\x03\x04"),
        ("people.csv", b"PK\x03\x04"),
        ("people.csv", bytes.fromhex("d0cf11e0a1b11ae1")),
    ],
)
def test_a_workbook_is_refused_and_told_from_a_csv_under_any_name(load, name, start):
    with pytest.raises(CommandError, match="This is a workbook of a spreadsheet program"):
        load("customers", start + bytes(600), name=name)


def test_a_number_that_a_spreadsheet_has_cut_off_is_nobodys_id_or_phone(load):
    content = "id,email,phone\n1.23457E+11,a@example.com,\n2,b@example.com,4.93E+11\n3E5,c@example.com,\n"
    out, rejects = load("customers", content)
    assert out == "3 rows: 1 new, 0 changed, 0 unchanged, 2 rejected"
    assert [(line, reason.partition(":")[0]) for line, reason in rejects] == [
        (2, "external_id"),
        (3, "phone"),
    ]


def test_rejected_rows_are_written_down_with_line_and_reason(load):
    content = (
        'id,email,note\n1,nonsense,\n2,b@example.com,"two\nlines"\n,c@example.com,\n4,d@example.com\n5,,ok\n'
    )
    out, rejects = load("customers", content)
    assert out == "5 rows: 2 new, 0 changed, 0 unchanged, 3 rejected"
    assert [line for line, _reason in rejects] == [2, 5, 6]
    assert rejects[0][1] == "email: not an e-mail address"


def test_a_rejected_row_can_be_read_mended_and_loaded_again(load, tmp_path):
    load("customers", "id,email,city\n1,nonsense,Köln\n2,Zürich\n")
    written = (tmp_path / "rejects.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf"), "spreadsheets know UTF-8 by this mark alone"
    names, *rows = list(csv.reader(written.decode("utf-8-sig").splitlines()))
    assert names == ["rejected line", "rejected because", "id", "email", "city"]
    assert [row[2:] for row in rows] == [["1", "nonsense", "Köln"], ["2", "Zürich"]]
    mended = written.decode("utf-8-sig").replace("nonsense", "ada@example.com")
    out, still = load("customers", mended)
    assert out == "2 rows: 1 new, 0 changed, 0 unchanged, 1 rejected", "a row of too few cells is no row yet"
    assert still == [(3, "2 cells instead of 3")]
    assert Customer.objects.get().traits == {}, "line and reason are no traits"
    again = (tmp_path / "rejects.csv").read_text("utf-8-sig").splitlines()
    assert again == ["rejected line,rejected because", "3,2 cells instead of 3,2,Zürich"]


def test_a_text_that_looks_like_a_formula_comes_back_from_the_sheet_as_it_was(load, tmp_path):
    load("customers", "id,email,phone,plan\n=1+1,nonsense,+442079460018,@gold\n")
    written = (tmp_path / "rejects.csv").read_text("utf-8-sig")
    assert "'=1+1,nonsense,'+442079460018,'@gold" in written
    load("customers", written.replace("nonsense", "ada@example.com"))
    ada = Customer.objects.get()
    assert (ada.external_id, ada.phone, ada.traits["plan"]) == ("=1+1", "+442079460018", "@gold")


def test_half_a_letter_in_a_rejected_row_is_written_as_json_escapes_it(load, tmp_path):
    load("customers", b'{"id": "1", "email": "\\ud83d"}\n', name="people.jsonl")
    [row] = csv.DictReader((tmp_path / "rejects.csv").read_text("utf-8-sig").splitlines())
    assert (row["id"], row["email"]) == ("1", "\\ud83d")


def test_a_row_in_another_encoding_is_rejected_alone(load):
    content = b"id,city\n" + b"1,London\n" * 8000 + "2,Köln\n".encode("latin-1") + b"3,Leeds\n"
    _out, rejects = load("customers", content)
    assert [line for line, _reason in rejects] == [8002]
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"1", "3"}


ITEMS = 'sku,title,dep,cat,price,stock,color\nt1,Tea,Food,Tea,"1.234,50",3,green\nt2,,,,,,\n'


def test_items_are_loaded_with_categories_from_several_columns(load):
    options = ("--map", "dep=categories", "--map", "cat=categories")
    load("items", ITEMS, *options)
    tea, other = Item.objects.order_by("external_id")
    assert (tea.name, tea.categories, tea.price, tea.stock) == ("Tea", ["Food", "Tea"], Decimal("1234.50"), 3)
    assert tea.attributes == {"color": "green"}
    assert (other.name, other.price) == ("t2", None)
    assert "2 unchanged" in load("items", ITEMS, *options)[0]


def test_a_file_of_prices_shows_no_hidden_item_again(load):
    load("items", "sku,price,is_hidden\nt1,5,yes\nt2,6,\n")
    out, _rejects = load("items", "sku,price,is_hidden\nt1,7,\nt2,6,yes\nt3,1,\n")
    assert out == "3 rows: 1 new, 2 changed, 0 unchanged, 0 rejected"
    load("items", '{"sku": "t1", "price": 8}\n', name="prices.jsonl")
    found = list(Item.objects.order_by("external_id").values_list("price", "is_hidden"))
    assert found == [(8, True), (6, True), (1, False)]


def test_events_create_customers_and_reject_or_create_items(load):
    Item.objects.create(external_id="t1", name="Tea")
    content = "user_id,event,time,sku,amount\n1,Order Line,2026-01-02 03:04:05,t1,4.5\n"
    content += "2,E,2.1.2026,zz,\n3,E,soon,,\n"
    zone = ("--time-zone", "Europe/Berlin")
    out, rejects = load("events", content, *zone)
    assert out == "3 rows: 1 new, 0 changed, 0 unchanged, 2 rejected"
    assert rejects == [(3, "the item is not in the catalog"), (4, "occurred_at: not a date and time")]
    event = Event.objects.get()
    assert (event.value, event.occurred_at) == (Decimal("4.50"), datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC))
    assert event.customer.created_at == event.occurred_at
    assert "1 new, 0 changed, 1 unchanged" in load("events", content, *zone, "--unknown-items", "create")[0]


def test_equal_lines_are_all_kept_and_loading_again_adds_none(load):
    rows = [{"user_id": "1", "timestamp": "2026-01-01T00:00:00Z", "n": 1}] * 5
    content = "\n".join(map(json.dumps, rows)) + "\n[]\n{\n"
    options = ("--event", "Visit", "--batch", "2")
    out, rejects = load("events", content, *options, name="a.jsonl")
    assert out == "7 rows: 5 new, 0 changed, 0 unchanged, 2 rejected"
    assert rejects == [(6, "not a JSON object"), (7, "not JSON")]
    assert "0 new" in load("events", content, *options, name="b.jsonl")[0]
    assert Event.objects.count() == 5


def test_a_message_id_column_decides_when_there_is_one(load):
    content = "user_id,time,message_id\n1,2026-01-01,m\n1,2026-02-01,m\n"
    assert "1 new, 0 changed, 1 unchanged" in load("events", content, "--event", "E")[0]


def test_a_dry_run_counts_and_keeps_nothing(load):
    assert "2 new" in load("customers", CUSTOMERS, "--dry-run")[0]
    assert not Customer.objects.exists()


def test_single_precision_money_is_meant_to_the_cent():
    table = pa.table({
        "household_id": pa.array([1, 1], pa.int32()),
        "sales_value": pa.array([0.99, 0.1], pa.float32()),
        "at": pa.array([datetime(2026, 1, 1)] * 2, pa.timestamp("ns")),
        "disc": pa.array([0.1, 0], pa.float32()),
    })  # fmt: skip
    columns = {"customer": ["household_id"], "value": ["sales_value"], "occurred_at": ["at"]}
    counts = load_batches(table.to_batches(), columns=columns, event="Order Line")
    assert (counts.read, counts.new) == (2, 2)
    assert sorted(Event.objects.values_list("value", flat=True)) == [Decimal("0.10"), Decimal("0.99")]
    assert Event.objects.get(value="0.99").properties == {"disc": 0.1}


def test_parquet_is_read_in_batches(load, tmp_path):
    pq.write_table(pa.table({"id": range(50), "city": ["X"] * 50}), tmp_path / "c.parquet")
    content = (tmp_path / "c.parquet").read_bytes()
    assert "50 new" in load("customers", content, "--batch", "20", name="d.parquet")[0]


def test_a_wrong_mapping_or_file_is_said_before_anything_is_written(load):
    for options in (["--map", "nope=email"], ["--map", "plan=shoe_size"], ["--map", "plan"]):
        with pytest.raises(CommandError):
            load("customers", CUSTOMERS, *options)
    with pytest.raises(CommandError, match="Only"):
        load("customers", "x", name="file.pdf")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("kept", [1_000_000, 64, 1])
def test_occurrences_are_numbered_over_all_batches_in_memory_and_on_disk(kept: int):
    rng = np.random.default_rng(0)
    counter, seen = OccurrenceCounter(kept=kept), {}
    for size in (5, 0, 300, 7, 1000, 1, 63, 1, 128):
        keys = rng.integers(0, 20, size).astype(np.uint64)
        for key, number in zip(keys.tolist(), counter.number(keys).tolist(), strict=True):
            assert number == seen.get(key, 0)
            seen[key] = number + 1
