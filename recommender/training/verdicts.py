"""Verdicts as JSON facts and as a table for the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from recommender.evaluation import PairedDifference, compare_rankings, compare_rmse
from recommender.evaluation.judging import Verdict

SHOWN = ("rmse", "mae", "ndcg", "recall", "hit_rate", "coverage")


def facts(verdict: Verdict, popular: Verdict | None = None, *, seconds: float = 0.0) -> dict[str, Any]:
    """All that was found about one algorithm; with `popular`, how far above that it is in NDCG."""
    if verdict.error:
        return {"error": verdict.error}
    metrics: dict[str, Any] = {}
    for found in (verdict.ratings, verdict.ranking):
        if found is not None:
            metrics |= {name: asdict(estimate) for name, estimate in found.metrics.items()}
    answer: dict[str, Any] = {"fit_seconds": round(verdict.fit_seconds, 3), "metrics": metrics}
    if verdict.parameters:
        answer["parameters"] = verdict.parameters
    if verdict.chosen:
        answer |= {"chosen": verdict.chosen, "seconds": round(seconds, 1)}
    if verdict.gain is not None:
        answer["context_gain"] = asdict(verdict.gain)
    above = difference(verdict, popular)
    if above is not None and popular is not None and popular.algorithm != verdict.algorithm:
        answer["ndcg_above_popular"] = asdict(above)
    return answer


def difference(a: Verdict, b: Verdict | None, metric: str = "ndcg") -> PairedDifference | None:
    """a minus b over the same users; None where one of them was not judged. "rmse": below zero is better."""
    if b is None:
        return None
    if metric == "rmse":
        return compare_rmse(a.ratings, b.ratings) if a.ratings and b.ratings else None
    if a.ranking is None or b.ranking is None:
        return None
    return compare_rankings(a.ranking, b.ranking, metric=metric)


def table(found: Mapping[str, Mapping[str, Any]], metrics: Sequence[str] = ()) -> str:
    """A line for each algorithm, a column for each metric that any of them has."""
    measured = {name for one in found.values() for name in one.get("metrics", {})}
    shown = [name for name in (metrics or SHOWN) if name in measured]
    width = max(12, *(len(name) for name in found)) + 2 if found else 12
    lines = [" " * width + "".join(f"{name:>26}" for name in shown) + f"{'fit s':>9}"]
    for name, one in found.items():
        if "error" in one:
            lines.append(f"{name:{width}}{one['error']}")
            continue
        figures = "".join(f"{figure(one['metrics'].get(metric)):>26}" for metric in shown)
        lines.append(f"{name:{width}}{figures}{one['fit_seconds']:>9.2f}")
        if "context_gain" in one:
            gain = one["context_gain"]["gain"]
            known = f"[{gain['low']:+.4f}, {gain['high']:+.4f}]"
            lines.append(f"{'':{width}}knowing the context: {gain['difference']:+.4f} {known} NDCG")
        lines += [
            f"{'':{width}}chose {choice['algorithm']} {choice['parameters']}"
            for choice in one.get("chosen", [])
        ]
    return "\n".join(lines)


def figure(estimate: Mapping[str, Any] | None) -> str:
    """'0.3120 [0.2950, 0.3300]', or a dash for what was not measured."""
    if estimate is None:
        return "-"
    if estimate["low"] is None:
        return f"{estimate['value']:.4f}"
    return f"{estimate['value']:.4f} [{estimate['low']:.4f}, {estimate['high']:.4f}]"
