"""Recommenders beside their peers: implicit and LensKit for what was bought, Surprise for ratings, and
`numpy.linalg.inv` for EASE.

Every fit runs in a process of its own, so that its peak memory is its own; both sides run in turn. Imports,
first calls (compiling) and making the data are not the subject. Ratios are peer over ours: above 1, ours is
faster or smaller. A peer that is not installed is left out.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings

from _recommender_data import make_purchases, make_ratings
from _recommender_fits import FITS, PEERS, RATERS
from _run import parse_args, peak_mib, report, restart_peak

# (users, items, interactions or ratings); EASE's work depends on the items alone
FULL, QUICK, TINY = (50_000, 10_000, 1_000_000), (5_000, 1_500, 80_000), (200, 64, 2_000)
FULL_RATINGS, QUICK_RATINGS = (2_000, 2_000, 150_000), (943, 1_682, 60_000)
ROUNDS, QUICK_ROUNDS = 3, 1
SLOW = {"surprise_svdpp"}  # once is enough


def child(name: str, size: tuple[int, int, int]) -> None:
    """One fit in this process: seconds, MiB above the data, and the quality where it can be told."""
    warnings.simplefilter("ignore")
    found = _child_rating(name, size) if name in RATERS else _child_fit(name, size)
    print(json.dumps(found))


def _child_fit(name: str, size: tuple[int, int, int]) -> dict[str, float]:
    from recommender.algorithms import Recommender
    from recommender.evaluation import evaluate

    split = make_purchases(size)
    FITS[name](make_purchases(TINY).train)
    before = restart_peak()
    start = time.perf_counter()
    model = FITS[name](split.train)
    found = {"seconds": time.perf_counter() - start, "mib": peak_mib() - before}
    if isinstance(model, Recommender):
        judged = evaluate(model, split, resamples=100)
        found["ndcg"] = judged.metrics["ndcg"].value if judged else 0.0
    return found


def _child_rating(name: str, size: tuple[int, int, int]) -> dict[str, float]:
    import numpy as np

    train, test = make_ratings(size)
    RATERS[name](*make_ratings(TINY))
    before = restart_peak()
    start = time.perf_counter()
    predicted = RATERS[name](train, test)
    seconds = time.perf_counter() - start
    rmse = float(np.sqrt(np.mean((predicted - test.ratings) ** 2)))
    return {"seconds": seconds, "mib": peak_mib() - before, "rmse": rmse}


def run(name: str, size: tuple[int, int, int]) -> dict[str, float] | None:
    """None when this side cannot run here, such as a peer that is not installed."""
    command = [sys.executable, __file__, "--child", name, "--size", *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name:18} left out: {done.stderr.strip().splitlines()[-1]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def measure(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """By name: median seconds, greatest MiB, quality."""
    size, ratings = (QUICK, QUICK_RATINGS) if args.quick else (FULL, FULL_RATINGS)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (*FITS, *RATERS)}
    for place in range(QUICK_ROUNDS if args.quick else ROUNDS):
        for name, found in runs.items():
            if place and (name in SLOW or not found):
                continue
            one = run(name, ratings if name in RATERS else size)
            if one is not None:
                found.append(one)
    return {
        name: {
            **found[0],
            "seconds": statistics.median(one["seconds"] for one in found),
            "mib": max(one["mib"] for one in found),
        }
        for name, found in runs.items()
        if found
    }


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--child", choices=[*FITS, *RATERS], help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=3, help=argparse.SUPPRESS)


def main() -> None:
    args = parse_args(__doc__, add=_options)
    if args.child:
        child(args.child, tuple(args.size))
        return
    found = measure(args)
    figures: dict[str, object] = {}
    for name, one in found.items():
        quality = {key: one[key] for key in ("ndcg", "rmse") if key in one}
        figures[name] = {key: round(value, 4) for key, value in one.items()}
        said = " ".join(f"{key} {value:.4f}" for key, value in quality.items())
        print(f"{name:18} {one['seconds']:8.2f} s {one['mib']:8.0f} MiB  {said}")
    ratios = {}
    for ours, peers in PEERS.items():
        for peer in peers:
            if ours in found and peer in found:
                ratios[f"{peer}_over_{ours}_seconds"] = found[peer]["seconds"] / found[ours]["seconds"]
    if "numpy_inv" in found:
        ratios["numpy_inv_over_ease_mib"] = found["numpy_inv"]["mib"] / max(found["ease"]["mib"], 1.0)
    packages = ("numpy", "scipy", "implicit", "scikit-surprise", "lenskit", "numba")
    report("recommender", figures, ratios, args=args, packages=packages)


if __name__ == "__main__":
    main()
