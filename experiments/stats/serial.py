"""Statistics and effects as plain JSON and back, without losing a digit.

Decimal sums become text, so that they come back as Decimal; integers and floats stay numbers. Every document
names its class in "kind".
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from experiments.stats.adjusted import Adjusted, CrossProducts, MultiAdjusted
from experiments.stats.bayes import Belief, BetaPrior, FlatPrior, GammaPrior, NormalPrior
from experiments.stats.comparison import Effect, Note
from experiments.stats.contrast import Contrast
from experiments.stats.guards import CountCheck, DenominatorCheck, Novelty, SeenTwice, Trend
from experiments.stats.looks import LookPlan
from experiments.stats.multiplicity import Joint
from experiments.stats.noninferiority import NonInferiority, Standing
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.sample_ratio import SampleRatio
from experiments.stats.simulation import FalsePositives
from experiments.stats.strata import Stratified
from experiments.stats.sufficient import Count, Mean, Proportion
from experiments.stats.watching import Watching

CLASSES: dict[str, type] = {
    found.__name__: found
    for found in (
        *(Mean, Proportion, Count, Ratio, Quantile, Adjusted, MultiAdjusted, CrossProducts, Stratified),
        *(
            Contrast,
            Effect,
            Joint,
            Belief,
            FlatPrior,
            NormalPrior,
            BetaPrior,
            GammaPrior,
            LookPlan,
            SampleRatio,
        ),
        *(DenominatorCheck, CountCheck, SeenTwice, Novelty, NonInferiority, FalsePositives, Watching),
    )
}
# Text that is not a Decimal: these fields hold words.
WORDS = {"method", "alternative", "horizon", "spending", "kind"}
ENUMS: dict[str, type[Enum]] = {"notes": Note, "trend": Trend, "standing": Standing}


def as_json(value: Any) -> Any:
    """Dataclasses of this package as dictionaries of what `json` can write. Raises TypeError for others."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    if is_dataclass(value) and type(value).__name__ in CLASSES:
        parts = {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **parts}
    raise TypeError(f"{type(value).__name__} has no document")


def from_json(document: Any) -> Any:
    """What `as_json` was given. Raises ValueError for a document of another kind."""
    return _read(document, field="")


def _read(part: Any, *, field: str) -> Any:
    if isinstance(part, str):
        return _word(part, field)
    if isinstance(part, list):
        return tuple(_read(item, field=field) for item in part)
    if not isinstance(part, dict):
        return part
    if field == "cells":
        return {key: _read(item, field="") for key, item in part.items()}
    found = CLASSES.get(str(part.get("kind")))
    if found is None:
        raise ValueError(f"there is no statistic of the kind {part.get('kind')}")
    given = {key: _read(item, field=key) for key, item in part.items() if key != "kind"}
    try:
        return found(**given)
    except TypeError as error:
        raise ValueError(f"this is no document of the kind {found.__name__}: {error}") from error


def _word(text: str, field: str) -> Any:
    if field in ENUMS:
        return ENUMS[field](text)
    return text if field in WORDS else Decimal(text)
