"""Every row of the recommenders' table: the measured figure, its goal, and whether it is reached.

    bin/bench recommender_quality --data DIR [--rows als,sasrec] [--long]

DIR holds the files of MovieLens-100K and The Complete Journey; without it the rows on made data are measured,
and what to fetch is said. Everything is seeded. Rankings are over all items, with 95 % intervals over
customers; differences are paired, by the rule that promotes models (`compare_rankings`). `--quick` takes the
quick rows only, measured in the same way. `--long` adds the sequences of a million events. `--save` with
`--rows` keeps the other rows as they were saved.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import _quality_checks as checks
import _quality_long as long
import _quality_rows as rows
from _quality_files import FETCH, Files
from _quality_lab import Figure, Figures, Lab
from _run import RESULTS, parse_args, report

PACKAGES = ("numpy", "scipy", "implicit", "scikit-learn", "numba", "torch", "optuna")


@dataclass(frozen=True)
class Row:
    measure: Callable[[Lab], Figures]
    needs_data: bool = True
    is_quick: bool = False
    is_long: bool = False


def _next(name: str) -> Row:
    return Row(partial(rows.above_popular, name))


ROWS = {
    "repurchase": Row(rows.bought_again, is_quick=True),
    "user_knn": Row(rows.user_neighbors),
    "item_knn": Row(rows.item_neighbors),
    "svd": Row(lambda lab: rows.rmse(lab, "svd", folds=0.935, official=0.938), is_quick=True),
    "svdpp": Row(lambda lab: rows.rmse(lab, "svdpp", folds=0.919, official=0.922)),
    "pmf": Row(lambda lab: rows.rmse(lab, "pmf", folds=0.950), is_quick=True),
    "bpmf": Row(rows.bayesian),
    "nmf": Row(rows.topics),
    "rating_hybrid": Row(rows.best_ratings),
    "tensor": Row(rows.in_context, needs_data=False, is_quick=True),
    "tensor_groceries": Row(rows.groceries_in_context),
    "als": Row(rows.lists, is_quick=True),
    "new_items": Row(checks.planted_new_items, needs_data=False),
    "new_groceries": Row(checks.new_groceries),
    "hybrid": Row(rows.blend),
    "mlp": _next("mlp"),
    "autoencoder": _next("autoencoder"),
    "contrastive": _next("contrastive"),
    "cnn": _next("cnn"),
    "gru": _next("gru"),
    "sasrec": Row(rows.sequences),
    "planted_order": Row(rows.planted_sequences, needs_data=False),
    "checkerboard": Row(checks.checkerboard, needs_data=False, is_quick=True),
    "auto": Row(checks.automatic),
    "noise": Row(checks.nothing_to_find, needs_data=False),
    "same_model": Row(checks.false_promotions, needs_data=False),
    "long_order": Row(long.long_sequences, needs_data=False, is_long=True),
}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="the folder of the data sets")
    parser.add_argument("--rows", default="", help=f"with commas between: {', '.join(ROWS)}")
    parser.add_argument("--long", action="store_true", help="add the rows that take more than ten minutes")


def _chosen(args: argparse.Namespace) -> dict[str, Row]:
    asked = [name for name in args.rows.split(",") if name]
    unknown = [name for name in asked if name not in ROWS]
    if unknown:
        sys.exit(f"There is no row {unknown[0]!r}; there are: {', '.join(ROWS)}")
    if asked:
        return {name: ROWS[name] for name in asked}
    return {
        name: row
        for name, row in ROWS.items()
        if (args.data or not row.needs_data)
        and (not args.quick or row.is_quick)
        and (args.long or not row.is_long)
    }


def _said(figure: Figure) -> str:
    low, high = figure.low, figure.high
    sign = "+" if " less " in figure.label else ""
    interval = "" if low is None or high is None else f"[{low:{sign}.4f}, {high:{sign}.4f}]"
    verdict = {True: "reached", False: "NOT REACHED", None: ""}[figure.reached]
    line = f"{figure.label:64} {figure.value:{sign}.4f} {interval:20} {figure.goal:14} {verdict}"
    return line.rstrip() + (f"  {figure.note}" if figure.note else "")


def _kept(args: argparse.Namespace) -> dict[str, Any]:
    """What was saved before, where only some rows are measured anew."""
    path = RESULTS / "recommender_quality.json"
    if not (args.save and args.rows and path.is_file()):
        return {}
    kept = json.loads(path.read_text())["figures"]
    return {name: kept[name] for name in ROWS if name in kept}


def _measured(name: str, row: Row, lab: Lab) -> dict[str, Any]:
    """A row that fails is told and does not take the others along."""
    began, found = time.perf_counter(), []
    try:
        for figure in row.measure(lab):
            print(_said(figure), flush=True)
            # Notes are for the eye alone: titles of films may not be passed on.
            kept = {name: value for name, value in asdict(figure).items() if name != "note"}
            found.append({**kept, "goal": figure.goal, "reached": figure.reached})
    except Exception as error:
        traceback.print_exc()
        print(f"{name}: FAILED, {error}", flush=True)
        return {"figures": found, "error": str(error)}
    return {"figures": found, "seconds": round(time.perf_counter() - began, 1)}


def main() -> None:
    args = parse_args(__doc__, add=_options)
    if args.data is None:
        print(FETCH)
    lab = Lab(Files(args.data) if args.data else None)
    figures = _kept(args)
    for name, row in _chosen(args).items():
        print(f"-- {name}", flush=True)
        figures[name] = _measured(name, row, lab)
    missed = [
        figure["label"] for row in figures.values() for figure in row["figures"] if figure["reached"] is False
    ]
    missed += [name for name, row in figures.items() if "error" in row]
    print(f"Not reached: {'; '.join(missed)}" if missed else "All goals are reached.")
    report("recommender_quality", {**figures, "not_reached": missed}, {}, args=args, packages=PACKAGES)


if __name__ == "__main__":
    main()
