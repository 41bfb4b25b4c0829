"""Hillstrom's test through the public API, on a small file of the same shape: counted here by hand."""

import csv
import lzma

import pytest
from django.core.management import CommandError, call_command

from experiments.models import Assignment, Experiment
from personalization.config.celery import app
from personalization.customers.models import Customer
from personalization.demo.hillstrom import COLUMNS, HillstromError, read_rows
from personalization.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made_up(tmp_path):
    """40 of each arm; of "No E-Mail" 4 visit and 2 buy, of the others 12 and 4, for 10.50 and 20.25 each."""
    path = tmp_path / "hillstrom.csv.xz"
    with lzma.open(path, "wt", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        for segment, visits, orders, spend in (
            ("No E-Mail", 4, 2, "10.5"), ("Mens E-Mail", 12, 4, "20.25"), ("Womens E-Mail", 12, 4, "20.25"),
        ):  # fmt: skip
            for number in range(40):
                rows.writerow(
                    {
                        "recency": 10, "history_segment": "2) $100 - $200", "history": 142.44, "mens": 1,
                        "womens": 0, "zip_code": "Surburban", "newbie": 0, "channel": "Phone",
                        "segment": segment, "visit": int(number < visits), "conversion": int(number < orders),
                        "spend": spend if number < orders else 0,
                    }
                )  # fmt: skip
    return path


@pytest.fixture(autouse=True)
def _worker():
    """The worker's part is done where it is asked for: here is no other process."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_the_file_arrives_whole_and_the_report_says_what_it_holds(made_up, live_server, capsys) -> None:
    call_command("hillstrom", made_up, url=live_server.url)
    assert Assignment.objects.filter(experiment__key="hillstrom").count() == Customer.objects.count() == 120
    assert Event.objects.filter(name="Store Visited").count() == 28
    assert Customer.objects.get(external_id="hillstrom-00001").traits["history"] == 142.44
    said = capsys.readouterr().out
    assert "none     40          0.10000000    0.05000000    0.52500000" in said
    assert "mens     40          0.30000000    0.10000000    2.02500000" in said
    assert "mens    spend    1.50000000" in said


def test_sending_it_again_changes_nothing(made_up, live_server, capsys) -> None:
    call_command("hillstrom", made_up, url=live_server.url)
    call_command("hillstrom", made_up, url=live_server.url)
    assert "0 new assignments" in capsys.readouterr().out
    assert (Experiment.objects.count(), Event.objects.filter(name="Order Completed").count()) == (1, 10)


def test_another_file_is_refused_with_what_is_wrong(tmp_path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(HillstromError, match="lacks the columns recency"):
        read_rows(path)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("hillstrom", tmp_path / "nothing.csv")
