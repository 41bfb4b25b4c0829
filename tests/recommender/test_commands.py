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


@pytest.mark.django_db
def test_auto_is_the_default_of_training(shop):
    with patch.object(tasks.train_model, "delay"):
        run("train", "--budget", "5", "--metric", "recall", "--repeats")
    queued = ModelRun.objects.get()
    assert (queued.algorithm, queued.budget_seconds, queued.metric) == ("auto", 5, "recall")
    assert queued.repeats


@pytest.fixture
def ratings(tmp_path):
    """Half of the users like even items, the other half odd ones; two official folds as files."""
    random = np.random.default_rng(5)
    rows = [
        f"{user}\t{item}\t{5 if user % 2 == item % 2 else 2}\t{at}"
        for user in range(40)
        for at, item in enumerate(random.permutation(20)[:12])
    ]
    random.shuffle(rows)
    for name, chosen in {"all": rows, "1.base": rows[100:], "1.test": rows[:100]}.items():
        (tmp_path / name).write_text("\n".join(chosen) + "\n")
    return tmp_path


def test_ratings_are_judged_by_their_errors_in_folds(ratings):
    options = ["--columns", "0,1,2,3", "--algorithm", "svd", "--algorithm", "popular", "--json"]
    found = json.loads(run("evaluate", "--csv", str(ratings / "all"), "--split", "kfold", *options))
    rmse = found["algorithms"]["svd"]["metrics"]["rmse"]
    assert 0 < rmse["low"] < rmse["value"] < rmse["high"] < 2
    assert "rmse" not in found["algorithms"]["popular"]["metrics"]
    fold = f"{ratings / '1.base'}:{ratings / '1.test'}"
    official = json.loads(run("evaluate", "--folds", fold, fold, *options))
    assert official["split"] == "folds" and official["events"] == 480
    assert official["algorithms"]["svd"]["metrics"]["rmse"]["value"] < 2
    for wrong in (["--folds", "alone"], ["--folds", f"{ratings / 'all'}:nowhere"], ["--split", "folds"]):
        with pytest.raises(CommandError):
            run("evaluate", *wrong, "--csv" if "--split" in wrong else "--columns",
                str(ratings / "all") if "--split" in wrong else "0,1,2,3", *options[2:])  # fmt: skip


def test_one_algorithm_that_fails_leaves_the_others_their_figures(ratings):
    shown = run(
        "evaluate", "--csv", str(ratings / "all"), "--columns", "0,1,-,3", "--split", "ratio",
        "--algorithm", 'ease={"memory_limit_mib": 0}', "--algorithm", "popular", "--metrics", "ndcg,mrr",
    )  # fmt: skip
    assert "of memory" in shown
    line = next(line for line in shown.splitlines() if line.startswith("popular"))
    assert line.count("[") == 2


def test_auto_says_what_it_chose(ratings):
    options = ["--csv", str(ratings / "all"), "--columns", "0,1,-,3", "--split", "ratio", "--tune", "3"]
    found = json.loads(run("evaluate", *options, "--algorithm", "auto", "--json"))
    chosen = found["algorithms"]["auto"]["chosen"]
    assert len(chosen) == 1 and chosen[0]["algorithm"] in found["algorithms"]["auto"]["chosen"][0].values()
    assert "chose" in run("evaluate", *options, "--algorithm", "auto")
    with pytest.raises(CommandError, match="no algorithm"):
        run("evaluate", *options, "--algorithm", "astrology")
    with pytest.raises(CommandError, match="no JSON"):
        run("evaluate", *options, "--algorithm", "als=factors")


def test_new_items_are_judged_by_what_a_file_says_about_them(ratings):
    rows = [
        "1,name,tags",
        *(f"{item},Item {item},{'even' if item % 2 == 0 else 'odd'}" for item in range(20)),
    ]
    (ratings / "items.csv").write_text("\n".join(rows) + "\n")
    lines = (ratings / "all").read_text().splitlines()
    liked = [line for line in lines if line.split("\t")[2] == "5"]
    (ratings / "liked").write_text("\n".join(liked) + "\n")
    found = json.loads(
        run("evaluate", "--csv", str(ratings / "liked"), "--columns", "0,1,-,3", "--split", "cold-start",
            "--items", str(ratings / "items.csv"), "--algorithm", "tfidf", "--algorithm", "popular",
            "-k", "2", "--json")
    )  # fmt: skip
    assert found["split"] == "cold-start"
    assert found["algorithms"]["tfidf"]["ndcg_above_popular"]["low"] > 0


def test_a_later_test_can_be_asked_for(table, tmp_path):
    parquet.write_table(table, tmp_path / "events.parquet")
    options = ["--parquet", str(tmp_path / "events.parquet"), "--columns", "who,what,-,when", "--json"]
    found = json.loads(run("evaluate", *options, "--test-from", "6000", "--algorithm", "popular"))
    assert found["users"] == 60
    with pytest.raises(CommandError, match="both sides"):
        run("evaluate", *options, "--test-from", "2030-01-01", "--algorithm", "popular")
