"""`manage.py uplift EXPERIMENT METRIC`: see docs/targeting.md."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from experiments.models import Experiment, Metric, Variant
from experiments.targeting.sentence import subgroups_sentence, targeting_sentence
from experiments.targeting.study import save_rule_segment, study_targeting, write_scores
from personalization.access.problems import ProblemError

ACTOR = "command:uplift"


class Command(BaseCommand):
    help = "Finds whom a campaign's message moved, judged on customers that nothing was learned from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("experiment", help="its key")
        parser.add_argument("metric", help="its key")
        parser.add_argument("--variant", help="key; needed when there is more than one message")
        parser.add_argument("--traits", default="", help="to look at, with commas between (default: all)")
        parser.add_argument("--cost", type=float, default=0.0, help="what a message must bring (0)")
        parser.add_argument("--seed", type=int, default=0, help="of the halving of the customers")
        parser.add_argument("--save-segment", metavar="NAME", help="save the offered rule as a segment")
        parser.add_argument("--write-trait", metavar="NAME", help="write the offered model's scores")

    def handle(self, *args: Any, **options: Any) -> None:
        experiment = Experiment.objects.filter(key=options["experiment"]).first()
        metric = Metric.objects.filter(key=options["metric"]).first()
        if experiment is None or metric is None:
            raise CommandError("There is no such experiment or metric.")
        variant = _variant(experiment, options["variant"])
        traits = [name.strip() for name in options["traits"].split(",") if name.strip()]
        try:
            kept, found = study_targeting(
                experiment, metric, variant, as_of=timezone.now(), traits=traits,
                cost=options["cost"], seed=options["seed"],
            )  # fmt: skip
            self.stdout.write(targeting_sentence(kept))
            self.stdout.write(subgroups_sentence(kept))
            if options["save_segment"]:
                version = save_rule_segment(kept, name=options["save_segment"], actor=ACTOR)
                self.stdout.write(f"Saved as segment {version.segment_id}.")
            if options["write_trait"]:
                written = write_scores(found, trait=options["write_trait"])
                self.stdout.write(f"Wrote {written} scores.")
        except ProblemError as error:
            raise CommandError(str(error)) from error


def _variant(experiment: Experiment, key: str | None) -> Variant:
    messages = list(experiment.variants.filter(is_control=False))
    chosen = [variant for variant in messages if variant.key == key] if key else messages
    if len(chosen) != 1:
        names = ", ".join(variant.key for variant in messages)
        raise CommandError(f"Name one variant with --variant: {names}.")
    return chosen[0]
