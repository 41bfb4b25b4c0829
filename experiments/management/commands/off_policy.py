"""`manage.py off_policy FILE`: see docs/targeting.md."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from experiments.off_policy import LEAST_EFFECTIVE, Evaluation, Policy, cross_fitted_rewards, evaluate
from experiments.policy_log import BadLog, Columns, PolicyLog, read_policy_log
from personalization.importing.reading import UnreadableFile


class Command(BaseCommand):
    help = "What another policy would have earned, from a log of decisions with their chances."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, JSON Lines or Parquet")
        parser.add_argument("--action", default="action", help="column")
        parser.add_argument("--propensity", default="propensity", help="column: chance of what was done")
        parser.add_argument("--reward", default="reward", help="column")
        policy = parser.add_mutually_exclusive_group(required=True)
        policy.add_argument("--uniform", action="store_true", help="the new policy: all actions alike")
        policy.add_argument("--shares", metavar="JSON", help='the new policy: {"action": share, …}')
        policy.add_argument("--target", help="the new policy: column with its chance of what was done")
        parser.add_argument("--actions", type=int, help="with --uniform: how many there are (default: seen)")
        parser.add_argument("--context", default="", help="columns for a model of rewards, commas between")
        parser.add_argument("--clip", type=float, help="largest weight")
        parser.add_argument("--least-effective", type=float, default=LEAST_EFFECTIVE, help="else refused")

    def handle(self, *args: Any, **options: Any) -> None:
        columns = Columns(
            options["action"], options["propensity"], options["reward"], options["target"],
            tuple(name for name in options["context"].split(",") if name),
        )  # fmt: skip
        try:
            read = read_policy_log(options["file"], columns)
            policy = read.target if read.target is not None else _policy(read, options)
            predicted = None
            if isinstance(policy, Policy):
                k = policy.chances.shape[-1]
                predicted = cross_fitted_rewards(read.log, k, contexts=read.contexts)
            found = evaluate(
                read.log, policy, predicted=predicted, clip=options["clip"],
                least_effective=options["least_effective"],
            )  # fmt: skip
        except (BadLog, UnreadableFile, ValueError) as error:
            raise CommandError(str(error)) from error
        self._show(found)

    def _show(self, found: Evaluation) -> None:
        weights = found.weights
        head = (
            f"{found.decisions} decisions, worth {weights.effective:,.1f} under the new policy; mean weight"
            f" {weights.mean:.3f} (1 when the propensities are right)"
        )
        if found.refusal:
            raise CommandError(
                f"{head}. This log cannot tell: a few decisions would carry the whole answer. Log the present"
                " policy with a higher floor for every action, or ask about a policy nearer to it."
            )
        if weights.clip is not None:
            head += f"; weights clipped at {weights.clip:g}, {weights.clipped_share:.2%} of them: too low"
        self.stdout.write(f"{head}. Earned per decision: {found.logged:.6g}. 95 % intervals:")
        for name, estimate in found.estimates.items():
            self.stdout.write(
                f"{name:10} {estimate.value:.6g} ({estimate.ci[0]:.6g} to {estimate.ci[1]:.6g}), against what"
                f" was earned {estimate.over_logged:+.6g} ({estimate.over_logged_ci[0]:+.6g} to"
                f" {estimate.over_logged_ci[1]:+.6g})"
            )
        if "dm" in found.estimates:
            self.stdout.write("dm believes its model: its interval is too narrow. Prefer dr.")


def _policy(read: PolicyLog, options: dict[str, Any]) -> Policy:
    if options["uniform"]:
        return Policy.uniform(options["actions"] or len(read.actions))
    shares = json.loads(options["shares"])
    if not isinstance(shares, dict) or set(shares) - set(read.actions):
        raise ValueError(f"--shares wants an object; the actions of the log are: {', '.join(read.actions)}")
    return Policy(np.array([float(shares.get(name, 0.0)) for name in read.actions]))
