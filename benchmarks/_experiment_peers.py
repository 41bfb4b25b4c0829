"""1,000 comparisons by ours, gbstats and spotify-confidence, on the same sums; prints one JSON object.

Run by a Python that has the peers (requirements-experiments.txt): they want an older numpy than the product.
"""

import json
import math
import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cases(n: int) -> list[tuple[tuple, tuple]]:
    """(customers, sum, sum of squares) of control and treatment."""
    import numpy as np

    rng, found = np.random.default_rng(3), []
    for _ in range(n):
        pair = []
        for mean in (rng.uniform(1, 9), rng.uniform(1, 9)):
            size, spread = int(rng.integers(500, 50_000)), mean * rng.uniform(1, 4)
            pair.append((size, mean * size, (spread**2) * (size - 1) + mean**2 * size))
        found.append(tuple(pair))
    return found


def beside_peers() -> tuple[dict[str, object], dict[str, float]]:
    """Seconds for 1,000 comparisons, and the largest difference of absolute effect, bound or p-value."""
    from experiments.stats import Mean, compare

    given = cases(1_000)
    answers = []

    def ours() -> None:
        answers[:] = [compare(Mean(*control), Mean(*treated)) for control, treated in given]

    figures: dict[str, object] = {"comparisons_seconds": round(timed(ours), 3)}
    ratios = {}
    for name, peer in (("gbstats", by_gbstats), ("spotify", by_spotify)):
        try:
            n, found, seconds = peer(given)
        except ImportError:
            figures[f"{name}_comparisons_seconds"] = "not installed"
            continue
        gap = max(
            abs(mine - theirs)
            for effect, other in zip(answers[:n], found, strict=True)
            for mine, theirs in zip(
                (effect.absolute, *effect.absolute_ci, effect.p_value), other, strict=True
            )
            if not math.isnan(theirs)
        )
        figures |= {
            f"{name}_comparisons_seconds": round(seconds * 1_000 / n, 3),
            f"{name}_largest_difference": float(f"{gap:.3g}"),
        }
        ratios[f"{name}_over_ours_time"] = seconds * 1_000 / n / figures["comparisons_seconds"]
    return figures, ratios


def by_gbstats(given: list) -> tuple[int, list, float]:
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
    from gbstats.models.statistics import SampleMeanStatistic

    found: list = []

    def work() -> None:
        for control, treated in given:
            pair = [SampleMeanStatistic(n=n, sum=s, sum_squares=q) for n, s, q in (control, treated)]
            config = FrequentistConfig(difference_type="absolute")
            result = TwoSidedTTest(*pair, config).compute_result()
            found.append((result.expected, *result.ci, result.p_value))

    return len(given), found, timed(work)


def by_spotify(given: list) -> tuple[int, list, float]:
    import pandas as pd
    from spotify_confidence import StudentsTTest

    found: list = []
    some = given[:100]

    def work() -> None:
        for pair in some:
            frame = pd.DataFrame(
                [{"arm": arm, "n": n, "s": s, "q": q} for arm, (n, s, q) in zip("ct", pair, strict=True)]
            )
            test = StudentsTTest(
                frame, numerator_column="s", numerator_sum_squares_column="q", denominator_column="n",
                categorical_group_columns="arm", interval_size=0.95,
            )  # fmt: skip
            row = test.difference(level_1="c", level_2="t", absolute=True).iloc[0]
            found.append((row["difference"], row["ci_lower"], row["ci_upper"], row["p-value"]))

    return len(some), found, timed(work)


if __name__ == "__main__":
    figures, ratios = beside_peers()
    for package in ("gbstats", "spotify-confidence"):
        figures[f"{package}_version"] = version(package)
    print(json.dumps({"figures": figures, "ratios": ratios}))
