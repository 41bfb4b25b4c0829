"""Fitting recommenders beside what they are built on: ALS and the bare `implicit`, EASE and
`numpy.linalg.inv`.

Data: users choose items by popularity (a power law) and by one of 32 topics. Every fit runs in a process
of its own, so that its peak memory is its own; both sides run in turn.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from _run import parse_args, report

# (users, items, interactions); EASE's work depends on the items alone
FULL, QUICK = (50_000, 10_000, 1_000_000), (10_000, 3_000, 200_000)
TOPICS, ROUNDS, QUICK_ROUNDS = 32, 3, 2


def make(size: tuple[int, int, int]):
    """Interactions and the pairs held back from them, a tenth; seeded."""
    import numpy as np

    from recommender.evaluation import Log, ratio_split

    n_users, n_items, n = size
    random = np.random.default_rng(1)
    users = (n_users * random.random(n) ** 2).astype(int)
    rank = np.minimum((n_items // TOPICS) * random.random(n) ** 3, n_items // TOPICS - 1).astype(int)
    own = random.random(n) < 0.7
    topic = np.where(own, users % TOPICS, random.integers(0, TOPICS, n))
    pairs = np.unique(users * n_items + rank * TOPICS + topic)
    users, items = np.divmod(pairs, n_items)
    zeros = np.zeros(len(users), dtype=np.int64)
    log = Log(users, items, np.ones(len(users), np.float32), zeros, shape=(n_users, n_items))
    return ratio_split(log, test_share=0.1, seed=1)


def fit_als(train) -> object:
    from recommender.algorithms import get

    return get("als")().fit(train)


def fit_implicit(train) -> object:
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    matrix = train.matrix
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(factors=64, iterations=15, random_state=0)
        model.fit(matrix, show_progress=False)
    return model


def fit_ease(train) -> object:
    from recommender.algorithms import get

    return get("ease")().fit(train)


def fit_inverse(train) -> object:
    """EASE as it is usually written down."""
    import numpy as np

    matrix = train.matrix
    gram = (matrix.T @ matrix).toarray()
    gram[np.diag_indices(len(gram))] += 250.0
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(len(gram))] = 0.0
    return weights


def fit_item_knn(train) -> object:
    from recommender.algorithms import get

    return get("item_knn")().fit(train)


FITS: dict[str, Callable[..., object]] = {
    "als": fit_als,
    "implicit": fit_implicit,
    "ease": fit_ease,
    "numpy_inv": fit_inverse,
    "item_knn": fit_item_knn,
}


def child(name: str, size: tuple[int, int, int]) -> None:
    """One fit in this process: seconds, MiB above the data, and the quality of our own models."""
    from recommender.algorithms import Recommender
    from recommender.evaluation import evaluate

    warnings.simplefilter("ignore")
    split = make(size)
    FITS[name](make((200, 64, 2_000)).train)  # imports and first calls are not the subject
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew: making the data is not the subject
    before = _peak_mib()
    start = time.perf_counter()
    model = FITS[name](split.train)
    found = {"seconds": time.perf_counter() - start, "mib": _peak_mib() - before}
    if isinstance(model, Recommender):
        judged = evaluate(model, split, resamples=100)
        found["ndcg"] = judged.metrics["ndcg"].value if judged else 0.0
    print(json.dumps(found))


def _peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def run(name: str, size: tuple[int, int, int]) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", name, "--size", *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--child", choices=FITS, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=3, help=argparse.SUPPRESS)


def main() -> None:
    args = parse_args(__doc__, add=_options)
    if args.child:
        child(args.child, tuple(args.size))
        return
    size = QUICK if args.quick else FULL
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in FITS}
    for _ in range(QUICK_ROUNDS if args.quick else ROUNDS):
        for name in FITS:
            runs[name].append(run(name, size))
    seconds = {name: statistics.median(one["seconds"] for one in found) for name, found in runs.items()}
    mib = {name: max(one["mib"] for one in found) for name, found in runs.items()}
    figures: dict[str, object] = {"users": size[0], "items": size[1], "interactions": size[2]}
    for name, found in runs.items():
        figures[f"{name}_seconds"] = round(seconds[name], 2)
        figures[f"{name}_mib"] = round(mib[name])
        if "ndcg" in found[0]:
            figures[f"{name}_ndcg_at_20"] = round(found[0]["ndcg"], 4)
        print(f"{name:10} {seconds[name]:8.2f} s {mib[name]:8.0f} MiB")
    report(
        "recommender",
        figures,
        {
            "implicit_over_als_seconds": seconds["implicit"] / seconds["als"],
            "numpy_inv_over_ease_seconds": seconds["numpy_inv"] / seconds["ease"],
            "numpy_inv_over_ease_mib": mib["numpy_inv"] / max(mib["ease"], 1.0),
        },
        args=args,
        packages=("numpy", "scipy", "implicit"),
    )


if __name__ == "__main__":
    main()
