import json
from io import StringIO
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from django.core.management import CommandError, call_command
from pyarrow import csv, parquet

from recommender import tasks
from recommender.models import ModelRun


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def table():
    """Two tastes as in the shop; user and item ids are text."""
    random = np.random.default_rng(2)
    rows = [
        (f"u{user}", f"i{2 * item + user % 2}", float(place), 1_000 * place + user)
        for user in range(60)
        for place, item in enumerate(random.permutation(15)[:8])
    ]
    users, items, stars, times = zip(*rows, strict=True)
    return pa.table({"who": users, "what": items, "stars": stars, "when": times})


def test_algorithms_are_judged_on_a_file_without_the_database(table, tmp_path):
    parquet.write_table(table, tmp_path / "events.parquet")
    csv.write_csv(table, tmp_path / "events.csv")
    options = ["--columns", "who,what,-,when", "--split", "ratio", "-k", "5", "--json"]
    found = json.loads(run("evaluate", "--parquet", str(tmp_path / "events.parquet"), *options))
    assert found == {
        **json.loads(run("evaluate", "--csv", str(tmp_path / "events.csv"), *options)),
        "algorithms": found["algorithms"],
    }
    assert (found["users"], found["items"], found["events"]) == (60, 30, 480)
    assert found["algorithms"]["ease"]["ndcg_above_popular"]["low"] > 0
    ndcg = found["algorithms"]["popular"]["metrics"]["ndcg"]
    assert ndcg["low"] < ndcg["value"] < ndcg["high"]


def test_a_file_without_a_header_is_read_by_numbers(table, tmp_path):
    path = tmp_path / "events.tsv"
    csv.write_csv(table, path, csv.WriteOptions(include_header=False, delimiter="\t"))
    shown = run("evaluate", "--csv", str(path), "--columns", "0,1,-,3", "--algorithm", "popular")
    assert shown.startswith("time split, lists of 20, 60 customers judged, 30 items, 480 events")
    assert "popular" in shown


def test_a_file_that_does_not_fit_is_named(table, tmp_path):
    parquet.write_table(table, tmp_path / "events.parquet")
    with pytest.raises(CommandError, match="no column 'user'"):
        run("evaluate", "--parquet", str(tmp_path / "events.parquet"))
    with pytest.raises(CommandError, match="cannot be read"):
        run("evaluate", "--csv", str(tmp_path / "nothing.csv"))


@pytest.mark.django_db
def test_the_events_of_the_shop_are_judged(shop):
    found = json.loads(run("evaluate", "--json", "--algorithm", "popular", "--algorithm", "item_knn"))
    assert found["events"] == 1200
    assert found["algorithms"]["item_knn"]["ndcg_above_popular"]["low"] > 0


@pytest.mark.django_db
def test_training_is_handed_to_a_worker(shop):
    with patch.object(tasks.train_model, "delay") as delay:
        run("train", "--algorithm", "ease")
    delay.assert_called_once_with(ModelRun.objects.get().pk)


@pytest.mark.django_db(transaction=True)
def test_training_can_be_waited_for(shop):
    shown = run("train", "--algorithm", "ease", "--parameters", '{"regularization": 20.0}', "--wait")
    assert "is the champion" in shown and "ndcg" in shown
    with pytest.raises(CommandError, match="of memory"):
        run("train", "--algorithm", "ease", "--parameters", '{"memory_limit_mib": 0}', "--wait")
