"""`manage.py aa_lab METRIC`: do verdicts about it keep their promise? See docs/experiment-plans.md."""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from experiments.decisions import Method
from experiments.models import Metric
from experiments.outlooks import lab
from experiments.outlooks.history import load_history
from experiments.outlooks.outlook import Doubt, Groups, look_ahead

LOOKS = 20


class Command(BaseCommand):
    help = "Divides past customers again and again, does nothing to anybody, and counts the false alarms."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("metric", nargs="?", help="key of a metric; not with --csv")
        parser.add_argument("--csv", type=Path, help="take the numbers of a file instead, one row a customer")
        parser.add_argument("--column", help="the file's column with the numbers")
        parser.add_argument(
            "--where", action="append", default=[], metavar="COLUMN=VALUE",
            help="only rows of the file with this value",
        )  # fmt: skip
        parser.add_argument("--runs", type=int, default=2000)
        parser.add_argument("--per-arm", type=int, default=2000)
        parser.add_argument("--looks", type=int, default=LOOKS)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--alpha", type=float, default=0.05)
        parser.add_argument(
            "--winners", action="store_true",
            help="also send every division through the decision rules; takes some minutes",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["runs"] < 1 or options["looks"] < 1 or options["per_arm"] < 2 * options["looks"]:
            raise CommandError("Take at least one run and one look, and two customers per arm and look.")
        if not 0 < options["alpha"] < 0.5:
            raise CommandError("The error rate --alpha lies between 0 and 0.5.")
        values, source = self._values(options)
        if len(values) < 2 or not values.std():
            raise CommandError(f"{source}: all numbers are the same, so there is nothing to try.")
        found = self._found(values, options)
        found = {"source": source, "customers": len(values), **found}
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
        else:
            self._print(found, options)

    def _values(self, options: dict[str, Any]) -> tuple[lab.Values, str]:
        if options["csv"]:
            if options["metric"] or not options["column"]:
                raise CommandError("With --csv name the --column, and no metric.")
            return _read(options["csv"], options["column"], options["where"]), options["csv"].name
        known = ", ".join(Metric.objects.values_list("key", flat=True)) or "none yet"
        metric = Metric.objects.filter(key=options["metric"] or "").first()
        if metric is None:
            raise CommandError(f"Name a metric ({known}), or a file with --csv and --column.")
        history = load_history(metric, days=[metric.window_days], limit=1_000_000)
        if history is None:
            raise CommandError(
                f"There is no past for “{metric.key}”: nobody has done “{metric.event}” yet, or it is no "
                "number of single customers."
            )
        return history.values[:, 0], f"{metric.key}, {metric.window_days} days until {history.until:%Y-%m-%d}"

    def _found(self, values: lab.Values, options: dict[str, Any]) -> dict[str, Any]:
        size: dict[str, Any] = {name: options[name] for name in ("per_arm", "runs", "seed")}
        alpha, looks = options["alpha"], options["looks"]
        tries: list[tuple[str, lab.Scheme, int]] = [
            ("fixed", "fixed", 1),
            ("fixed, peeking", "fixed", looks),
            ("always valid", "always_valid", looks),
            ("planned looks", "group_sequential", looks),
        ]
        with self._progress(options["runs"] * len(tries), "divisions") as tick:
            alarms = {
                name: asdict(lab.try_method(values, method=method, looks=n, alpha=alpha, tick=tick, **size))
                for name, method, n in tries
            }
        found = {
            **size, "alpha": alpha, "mean": float(values.mean()),
            "standard_deviation": float(values.std(ddof=1)),
            "share_above_zero": float(np.count_nonzero(values) / len(values)),
            "alarms": alarms, "detectable": self._detectable(values, options),
        }  # fmt: skip
        if options["winners"]:
            methods = (Method.GROUP_SEQUENTIAL, Method.ALWAYS_VALID)
            with self._progress(options["runs"] * len(methods), "decisions") as tick:
                found["winners"] = {
                    method.value: self._winners(values, method, options, tick) for method in methods
                }
        return found

    def _winners(
        self, values: lab.Values, method: Method, options: dict[str, Any], tick: Callable[[int], object]
    ) -> dict[str, Any]:
        criteria = lab.winner_criteria(method, options["looks"], alpha=options["alpha"])
        size = {name: options[name] for name in ("per_arm", "runs", "seed", "looks")}
        winners = lab.count_winners(values, criteria, tick=tick, **size)
        return {**asdict(winners), "rate": winners.rate}

    def _detectable(self, values: lab.Values, options: dict[str, Any]) -> dict[str, Any]:
        groups = Groups(options["per_arm"], (options["per_arm"],))
        found: dict[str, Any] = {}
        for method in Method:
            criteria = lab.winner_criteria(method, options["looks"], alpha=options["alpha"])
            outlook = look_ahead(
                values[:, None],
                [criteria.length_days],
                criteria=criteria,
                groups=groups,
                seed=options["seed"],
            )
            if isinstance(outlook, Doubt):
                found[method.value] = {"relative": None, "why": outlook.value}
            else:
                relative = outlook.detectable if np.isfinite(outlook.detectable) else None
                found[method.value] = {"relative": relative, "resampled_power": outlook.resampled_power}
        return found

    def _progress(self, total: int, what: str) -> "_Bar":
        return _Bar(total, what, self.stderr if sys.stderr.isatty() else None)

    def _print(self, found: dict[str, Any], options: dict[str, Any]) -> None:
        self.stdout.write(
            f"{found['source']}: {found['customers']:,} past customers, mean {found['mean']:.4g}, standard "
            f"deviation {found['standard_deviation']:.4g}, {found['share_above_zero']:.2%} above zero\n"
            f"{found['runs']:,} divisions with {found['per_arm']:,} a side and no difference, seed "
            f"{found['seed']}\n\n"
            "                           alarms   up       down     coverage"
        )
        for name, one in found["alarms"].items():
            label = f"{name}, {one['looks']} look{'s' * (one['looks'] > 1)}"
            shares = "".join(f"{one[part]:<9.2%}" for part in ("rate", "up", "down", "coverage"))
            self.stdout.write(f"{label:<27}{shares}± {one['error']:.2%}")
        for name, one in found.get("winners", {}).items():
            self.stdout.write(
                f"false winners by the rules, {name}, {one['looks']} looks: {one['rate']:.2%} "
                f"± {one['error']:.2%} (shipped {one['shipped']:.2%}, baseline chosen {one['baseline']:.2%})"
            )
        self.stdout.write(
            "\nsmallest rise that is found with 80 % chance, and that chance in resampled groups:"
        )
        for name, one in found["detectable"].items():
            rise = "none" if one["relative"] is None else f"{one['relative']:.1%}"
            power = one.get("resampled_power")
            self.stdout.write(f"  {name}: {rise}" + ("" if power is None else f" ({power:.0%})"))


class _Bar:
    """A line that fills up; silent without a terminal."""

    def __init__(self, total: int, what: str, out: Any) -> None:
        self.total, self.what, self.out, self.done = total, what, out, 0

    def __enter__(self) -> Callable[[int], None]:
        return self._tick

    def __exit__(self, *args: object) -> None:
        if self.out:
            self.out.write("\r\033[K", ending="")

    def _tick(self, n: int) -> None:
        before, self.done = self.done, self.done + n
        if self.out and before * 50 // self.total < self.done * 50 // self.total:
            full = self.done * 50 // self.total
            self.out.write(f"\r{'█' * full}{'·' * (50 - full)} {self.done:,} {self.what}", ending="")


def _read(path: Path, column: str, where: list[str]) -> lab.Values:
    wanted = {name: value for name, _, value in (part.partition("=") for part in where)}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            names = rows.fieldnames or []
            for name in (column, *wanted):
                if name not in names:
                    raise CommandError(f"{path} has no column “{name}”; it has: {', '.join(names)}.")
            return np.array(
                [float(row[column] or 0) for row in rows if all(row[k] == v for k, v in wanted.items())]
            )
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise CommandError(f"The column “{column}” of {path} must hold numbers: {error}.") from error
