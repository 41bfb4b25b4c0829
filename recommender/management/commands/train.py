"""Trains a model from the events: in the worker, or with --wait here and now."""

import json
import time
from argparse import ArgumentParser, BooleanOptionalAction
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from recommender import algorithms, services, tasks
from recommender.errors import TrainingError
from recommender.evaluation.tuning import AUTO
from recommender.models import DecidingMetric, ModelRun, RunStatus
from recommender.training.verdicts import figure


class Command(BaseCommand):
    help = "Trains a recommender on all events; it serves only if it proves better on the latest events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--algorithm", choices=[AUTO, *algorithms.names()], default=AUTO, metavar="NAME",
            help="auto (the default) chooses among cheap ones",
        )  # fmt: skip
        parser.add_argument(
            "--budget", type=int, metavar="SECONDS", help="search parameters so long; auto: 60 by default"
        )
        parser.add_argument(
            "--repeats", action=BooleanOptionalAction, default=None,
            help="what a customer already has counts, too; default: as suits the algorithm",
        )  # fmt: skip
        parser.add_argument("--metric", choices=DecidingMetric.values, default=DecidingMetric.NDCG)
        parser.add_argument("--parameters", type=json.loads, default={}, help='JSON, such as {"factors": 32}')
        parser.add_argument(
            "--wait", action="store_true", help="train in this process and print the progress"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = services.train(
                algorithm=options["algorithm"], parameters=options["parameters"],
                repeats=options["repeats"], metric=options["metric"], budget_seconds=options["budget"],
                actor="command line",
            )  # fmt: skip
        except TrainingError as error:
            raise CommandError(str(error)) from error
        if not options["wait"]:
            tasks.train_model.delay(run.pk)
            self.stdout.write(f"Model {run.pk} waits for a worker.")
            return
        self._watch(run)
        self._report(run)

    def _watch(self, run: ModelRun) -> None:
        with ThreadPoolExecutor(1) as pool:
            training = pool.submit(_train, run.pk)
            said = ""
            while not training.done():
                time.sleep(0.2)
                run.refresh_from_db(fields=["progress", "progress_share"])
                if run.progress and run.progress != said:
                    said = run.progress
                    self.stdout.write(f"{said} … ({run.progress_share:.0%})")
            training.result()
        run.refresh_from_db()

    def _report(self, run: ModelRun) -> None:
        if run.status == RunStatus.QUEUED:
            raise CommandError("Another training of this algorithm goes on; this one waits for a worker.")
        if run.status != RunStatus.DONE:
            raise CommandError(f"The training failed: {run.error}")
        if run.tuning:
            tried = len(run.tuning["trials"])
            self.stdout.write(f"Chosen out of {tried} tries: {run.algorithm} {run.parameters}")
        for name, estimate in run.metrics.get("own", {}).items():
            self.stdout.write(f"{name:10} {figure(estimate)}")
        self.stdout.write(run.promoted_reason if run.is_champion else run.metrics["decision"])
        self.stdout.write(
            f"Model {run.pk} is {'the champion' if run.is_champion else 'kept, and does not serve'}."
        )


def _train(run_id: int) -> None:
    try:
        services.run_training(run_id)
    finally:
        connection.close()  # this thread's own
