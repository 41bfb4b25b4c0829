"""Judges algorithms on events of this shop or of a file, with intervals, changing nothing."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender import algorithms
from recommender.evaluation import (
    Evaluation,
    Log,
    evaluate,
    leave_last_out,
    paired_bootstrap,
    ratio_split,
    time_split,
)
from recommender.files import FileError, read_log
from recommender.interactions import load_events

SPLITS = {"time": time_split, "ratio": ratio_split, "leave-last-out": leave_last_out}
METRICS = ("ndcg", "recall", "hit_rate", "coverage")


class Command(BaseCommand):
    help = "Compares recommenders on later events, each metric with a 95 % interval over customers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--algorithm", action="append", choices=algorithms.names(), help="default: all")
        parser.add_argument(
            "--parameters", type=json.loads, default={}, help="JSON, for a single --algorithm"
        )
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--csv", type=Path, help="comma- or tab-separated, instead of the database")
        source.add_argument("--parquet", type=Path, help="Parquet, instead of the database")
        parser.add_argument(
            "--columns", default="user,item,weight,timestamp",
            help="columns of user, item and, if there are any, weight and time: names, or numbers from 0 in "
            "a CSV file without a header; '-' for none",
        )  # fmt: skip
        parser.add_argument("--split", choices=SPLITS, default="time")
        parser.add_argument("--repeats", action="store_true", help="what a customer already has counts, too")
        parser.add_argument("-k", type=int, default=20, help="length of the lists")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["algorithm"] or algorithms.names()
        if options["parameters"] and len(names) != 1:
            raise CommandError("--parameters belongs to one --algorithm")
        log = self._log(options)
        split = SPLITS[options["split"]](log, new_only=not options["repeats"])
        judged: dict[str, dict[str, Any]] = {}
        popular: Evaluation | None = None
        for name in sorted(names, key=lambda name: name != "popular"):
            started = time.perf_counter()
            try:
                model = algorithms.get(name)(**options["parameters"]).fit(split.train)
            except (TypeError, ValueError, MemoryError) as error:
                judged[name] = {"error": str(error)}
                continue
            seconds = time.perf_counter() - started
            found = evaluate(model, split, k=options["k"])
            if found is None:
                raise CommandError("No customer has events on both sides of the split.")
            popular = found if name == "popular" else popular
            judged[name] = {
                "fit_seconds": round(seconds, 3),
                "metrics": {metric: asdict(estimate) for metric, estimate in found.metrics.items()},
            }
            if popular is not None and name != "popular":
                paired = paired_bootstrap(found.per_user["ndcg"], popular.per_user["ndcg"])
                judged[name]["ndcg_above_popular"] = paired and asdict(paired)
        facts = {
            "split": split.name, "new_only": split.new_only, "k": options["k"], "users": len(split.users),
            "items": log.shape[1], "events": len(log.users), "algorithms": judged,
        }  # fmt: skip
        self.stdout.write(json.dumps(facts) if options["json"] else _table(facts))

    def _log(self, options: dict[str, Any]) -> Log:
        path = options["csv"] or options["parquet"]
        if path is None:
            return load_events().log
        try:
            return read_log(
                path, columns=options["columns"].split(","), is_parquet=options["parquet"] is not None
            )
        except FileError as error:
            raise CommandError(str(error)) from error


def _table(facts: dict[str, Any]) -> str:
    lines = [
        f"{facts['split']} split, lists of {facts['k']}, {facts['users']} customers judged, "
        f"{facts['items']} items, {facts['events']} events, 95 % intervals",
        f"{'':12}" + "".join(f"{metric:>26}" for metric in METRICS) + f"{'fit s':>8}",
    ]
    for name, found in facts["algorithms"].items():
        if "error" in found:
            lines.append(f"{name:12}  {found['error']}")
            continue
        figures = "".join(f"{_figure(found['metrics'][metric]):>26}" for metric in METRICS)
        lines.append(f"{name:12}{figures}{found['fit_seconds']:>8.2f}")
    return "\n".join(lines)


def _figure(estimate: dict[str, Any]) -> str:
    if estimate["low"] is None:
        return f"{estimate['value']:.4f}"
    return f"{estimate['value']:.4f} [{estimate['low']:.4f}, {estimate['high']:.4f}]"
