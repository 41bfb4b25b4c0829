"""What a fit needs to go on after its process was killed, in the format of the models: no pickle.

Randomness needs no place in it: every epoch draws from a generator seeded by (seed, epoch), so the number
of finished epochs is the state.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms import _artifact
from recommender.algorithms._base import Arrays
from recommender.algorithms._features import ItemFeatures
from recommender.algorithms._interactions import Interactions

GROUPS = ("weights", "average", "best", "optimizer")


@dataclass
class State:
    """After `epoch` finished epochs of `steps` in all: weights, their running average, the best of those, and
    the moments of the optimizer. `seconds` spent so far; `score` of the best epoch, and how many `stale`
    ones followed.
    """

    epoch: int = 0
    steps: int = 0
    seconds: float = 0.0
    score: float = -1.0
    stale: int = 0
    is_done: bool = False
    weights: Arrays = field(default_factory=dict)
    average: Arrays = field(default_factory=dict)
    best: Arrays = field(default_factory=dict)
    optimizer: Arrays = field(default_factory=dict)


def fingerprint(
    name: str, parameters: Mapping[str, Any], interactions: Interactions, features: ItemFeatures | None
) -> str:
    """SHA-256 of what a fit depends on: the algorithm, its parameters, the data and the pictures."""
    digest = hashlib.sha256(json.dumps([name, parameters, interactions.shape], sort_keys=True).encode())
    columns: list[npt.NDArray[Any] | None]
    columns = [interactions.indptr, interactions.items, interactions.weights, interactions.timestamps]
    for column in [*columns, *(features.images if features is not None else ())]:
        digest.update(
            b"-" if column is None else str(column.shape).encode() + np.ascontiguousarray(column).data
        )
    return digest.hexdigest()


def write_state(path: Path, state: State, *, of: str) -> None:
    """All of it or nothing, also when the power fails; `of` is the fit's fingerprint."""
    header = {"checkpoint": of}
    header |= {
        name: getattr(state, name) for name in ("epoch", "steps", "seconds", "score", "stale", "is_done")
    }
    arrays = {f"{group}.{name}": array for group in GROUPS for name, array in getattr(state, group).items()}
    _artifact.write(path, header=header, arrays=arrays)


def read_state(path: Path, *, of: str) -> State | None:
    """None when there is no checkpoint, when it is damaged, or when it is of another fit."""
    try:
        header, arrays = _artifact.read(path)
    except _artifact.ArtifactError:
        return None
    if header.pop("checkpoint", None) != of:
        return None
    state = State(**header)
    for key, array in arrays.items():
        group, name = key.split(".", 1)
        getattr(state, group)[name] = array
    return state
