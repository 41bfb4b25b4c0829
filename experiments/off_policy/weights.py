"""How much more often the new policy would have done what was done, and how much that leaves to learn."""

from dataclasses import dataclass

import numpy as np

from experiments.off_policy.log import Floats, Log


@dataclass(frozen=True)
class Weights:
    """π(a|x) / p, at most `clip`.

    `effective` is the number of decisions, all weighted alike, that would say as much: (Σw)²/Σw² (Kish 1965).
    `mean` is near 1 when the logged propensities are right; `clipped_share` of the weights were cut, which
    makes estimates too low for positive rewards.
    """

    values: Floats
    effective: float
    mean: float
    clipped_share: float
    clip: float | None


def weigh(log: Log, chances: Floats, *, clip: float | None = None) -> Weights:
    """`chances`: the new policy's for each action taken. Raises ValueError for a clip of 0 or less."""
    if clip is not None and clip <= 0:
        raise ValueError("clip must be positive")
    if len(chances) != len(log) or (chances < 0).any() or (chances > 1).any():
        raise ValueError("one chance between 0 and 1 is needed per decision")
    raw = chances / log.propensities
    values = raw if clip is None else np.minimum(raw, clip)
    squares = float((values**2).sum())
    return Weights(
        values=values,
        effective=float(values.sum()) ** 2 / squares if squares else 0.0,
        mean=float(raw.mean()),
        clipped_share=float((values < raw).mean()),
        clip=clip,
    )
