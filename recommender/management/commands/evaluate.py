"""Judges algorithms on events of this shop or of a file, with intervals, changing nothing."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from recommender import algorithms
from recommender.evaluation import METRICS
from recommender.evaluation.judging import Protocol, Verdict, judge
from recommender.evaluation.tuning import AUTO
from recommender.inputs import evaluation_data
from recommender.inputs.files import FileError
from recommender.training import verdicts
from recommender.training.progress import progress_bar

# What was typed: the algorithm's name and its parameters.
Asked = dict[str, tuple[str, dict[str, Any]]]


class Command(BaseCommand):
    help = "Compares recommenders on held-out events, each metric with a 95 % interval over customers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--algorithm", action="append", metavar="NAME",
            help='default: all; again for another one. auto chooses. With parameters: als={"factors": 32}',
        )  # fmt: skip
        parser.add_argument("--parameters", type=json.loads, default={}, help="JSON, for all --algorithm")
        parser.add_argument(
            "--tune", type=float, metavar="SECONDS", help="search parameters so long for each"
        )
        evaluation_data.add_arguments(parser)
        parser.add_argument("-k", type=int, default=20, help="length of the lists")
        names = ", ".join(["rmse", "mae", "coverage", *METRICS])
        parser.add_argument("--metrics", default="", help=f"to show, with commas between: {names}")
        parser.add_argument("--json", action="store_true", help="print JSON, with all metrics")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = _asked(options["algorithm"] or algorithms.names(), options["parameters"])
        kinds = {algorithms.get(name) for name, _ in asked.values() if name != AUTO}
        try:
            data = evaluation_data.read_data(options, kinds)
        except (FileError, ValueError) as error:
            raise CommandError(str(error)) from error
        users = np.unique(np.concatenate([split.users for split in data.splits]))
        if not len(users):
            raise CommandError("No customer has events on both sides of the split.")
        protocol = Protocol(
            data.splits, k=options["k"], features=data.features, cold=data.cold,
            context=[name for name in options["context"].split(",") if name], tune_seconds=options["tune"],
        )  # fmt: skip
        facts = {
            "split": data.name, "new_only": data.splits[0].new_only, "k": options["k"],
            "users": len(users), "items": data.log.shape[1], "events": len(data.log),
            "algorithms": _judged(asked, protocol),
        }  # fmt: skip
        self.stdout.write(json.dumps(facts) if options["json"] else _shown(facts, options["metrics"]))


def _asked(texts: Sequence[str], shared: dict[str, Any]) -> Asked:
    asked = {}
    for text in texts:
        name, _, own = text.partition("=")
        if name != AUTO and name not in algorithms.names():
            raise CommandError(f"no algorithm {name!r}; there are: auto, {', '.join(algorithms.names())}")
        try:
            asked[text] = (name, {**shared, **(json.loads(own) if own else {})})
        except ValueError as error:
            raise CommandError(f"the parameters of {name} are no JSON: {error}") from error
    return asked


def _judged(asked: Asked, protocol: Protocol) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    popular: Verdict | None = None
    for label in sorted(asked, key=lambda label: label != "popular"):
        name, parameters = asked[label]
        started = time.perf_counter()
        with progress_bar(label) as bar:
            verdict = judge(name, protocol, parameters=parameters, progress=bar)
        popular = verdict if name == "popular" else popular
        found[label] = verdicts.facts(verdict, popular, seconds=time.perf_counter() - started)
    return found


def _shown(facts: dict[str, Any], metrics: str) -> str:
    head = (
        f"{facts['split']} split, lists of {facts['k']}, {facts['users']} customers judged, "
        f"{facts['items']} items, {facts['events']} events, 95 % intervals"
    )
    return f"{head}\n{verdicts.table(facts['algorithms'], [name for name in metrics.split(',') if name])}"
