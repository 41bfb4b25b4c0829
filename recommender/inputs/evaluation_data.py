"""What `manage.py evaluate` judges on: events of this shop or of files, cut as asked."""

from argparse import ArgumentParser
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommender import algorithms
from recommender.algorithms import ItemFeatures
from recommender.evaluation import (
    Log,
    Split,
    held_split,
    k_folds,
    leave_last_out,
    ratio_split,
    time_split,
)
from recommender.evaluation.cold_start import ColdStart, cold_start_split
from recommender.inputs.features import load_features
from recommender.inputs.files import FileError, read_folds, read_items, read_log
from recommender.inputs.interactions import load_events

SPLITS = ("time", "leave-last", "ratio", "kfold", "folds", "cold-start")


@dataclass(frozen=True)
class EvaluationData:
    name: str
    log: Log
    splits: list[Split]
    features: ItemFeatures | None = None
    cold: ColdStart | None = None


def add_arguments(parser: ArgumentParser) -> None:
    """Where events come from, and how they are cut."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--csv", type=Path, help="comma- or tab-separated, instead of the database")
    source.add_argument("--parquet", type=Path, help="Parquet, instead of the database")
    source.add_argument("--folds", nargs="+", metavar="TRAIN:TEST", help="official folds: pairs of files")
    parser.add_argument(
        "--columns", default="user,item,weight,timestamp",
        help="columns of user, item and, if there are any, weight and time: names, or numbers from 0 in "
        "a CSV file without a header; '-' for none",
    )  # fmt: skip
    parser.add_argument("--context", default="", help="columns for models of context, such as daypart,device")
    parser.add_argument("--items", type=Path, help="CSV or Parquet on items, for models of features")
    parser.add_argument("--split", choices=SPLITS, default="time")
    parser.add_argument("--test-from", type=moment, help="with --split time: where the test begins")
    parser.add_argument("--n-folds", type=int, default=5, help="with --split kfold")
    parser.add_argument("--seed", type=int, default=0, help="of the splits that draw at random")
    parser.add_argument("--repeats", action="store_true", help="what a customer already has counts, too")


def read_data(options: dict[str, Any], kinds: Collection[type[algorithms.Recommender]]) -> EvaluationData:
    """Raises FileError and ValueError. From the database, features and context are read when one of `kinds`
    uses them.
    """
    columns = options["columns"].split(",")
    context = [name for name in options["context"].split(",") if name]
    if options["folds"]:
        return _folds(options, columns, context)
    path = options["csv"] or options["parquet"]
    features = None
    if path is None:
        events = load_events(with_context=bool(context) or any(kind.uses_context for kind in kinds))
        log = events.log
        if any(kind.uses_features for kind in kinds):
            features = load_features(events.item_ids.tolist())
    else:
        is_parquet = options["parquet"] is not None
        file = read_log(path, columns=columns, context=context, is_parquet=is_parquet)
        log = file.log
        if options["items"]:
            features = read_items(options["items"], item_column=columns[1], item_ids=file.item_ids)
    if options["split"] == "cold-start":
        cold = cold_start_split(log, seed=options["seed"])
        return EvaluationData("cold-start", log, [cold.split], features, cold)
    splits = _splits(log, options)
    name = splits[0].name if len(splits) == 1 else options["split"]
    return EvaluationData(name, log, splits, features)


def moment(text: str) -> int:
    """Seconds, from a number or a date such as 2017-12-01 (UTC)."""
    if text.isdigit():
        return int(text)
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _folds(options: dict[str, Any], columns: list[str], context: list[str]) -> EvaluationData:
    pairs = [_pair(text) for text in options["folds"]]
    folds = read_folds(pairs, columns=columns, context=context)
    splits = [
        held_split(test.name, file.log, held, new_only=not options["repeats"])
        for (file, held), (_, test) in zip(folds, pairs, strict=True)
    ]
    return EvaluationData("folds", folds[0][0].log, splits)


def _pair(text: str) -> tuple[Path, Path]:
    train, colon, test = text.partition(":")
    if not colon:
        raise FileError(f"a fold is TRAIN:TEST, not {text!r}")
    return Path(train), Path(test)


def _splits(log: Log, options: dict[str, Any]) -> list[Split]:
    new_only, seed = not options["repeats"], options["seed"]
    match options["split"]:
        case "time":
            return [time_split(log, new_only=new_only, moment=options["test_from"])]
        case "leave-last":
            return [leave_last_out(log, new_only=new_only)]
        case "ratio":
            return [ratio_split(log, seed=seed, new_only=new_only)]
        case "kfold":
            return k_folds(log, n=options["n_folds"], seed=seed, new_only=new_only)
    raise ValueError("--split folds needs --folds TRAIN:TEST …")
