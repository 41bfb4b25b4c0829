"""What an offer of a list of next best actions earns from one customer: learned from who was seen as what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import connection

from campaigns.onsite.features import Column, Floats, Seen, columns_of, said, vector
from experiments.bandits import LinearArm
from experiments.bandits.linear_incremental import LinearGain, LocalGain
from experiments.exposures import EXPOSURE
from experiments.models import Experiment
from personalization.events.models import Event

SHOWN = 3  # reasons


@dataclass(frozen=True)
class Reason:
    """`adds`: what it adds to what the offer earns, beside the average customer."""

    label: str
    adds: float


@dataclass(frozen=True)
class Tailored:
    columns: tuple[Column, ...]
    gain: LinearGain

    def at(self, seen: Seen) -> LocalGain:
        return self.gain.at(vector(self.columns, seen))

    def reasons(self, seen: Seen) -> list[Reason]:
        """What is known of this customer, by what it adds; the largest first."""
        adds: dict[str, float] = {}
        parts = self.gain.contributions(vector(self.columns, seen))[1:]
        for column, part in zip(self.columns, parts, strict=True):
            adds[column.name] = adds.get(column.name, 0.0) + float(part)
        known = [Reason(said(name, seen[name]), one) for name, one in adds.items() if name in seen]
        return sorted(known, key=lambda one: -abs(one.adds))[:SHOWN]


def sums_of(seen: Sequence[Seen], values: Floats, is_control: Any) -> dict[str, Any]:
    """What is kept of an offer, as JSON: the columns and the sums of either side."""
    columns = columns_of(seen)
    features = np.array([vector(columns, one) for one in seen]).reshape(len(seen), len(columns) + 1)
    return {
        "columns": [asdict(column) for column in columns],
        "treated": _written(LinearArm.of(features[~is_control], values[~is_control])),
        "control": _written(LinearArm.of(features[is_control], values[is_control])),
    }


def tailored_from(sums: Mapping[str, Any]) -> Tailored | None:
    """From an offer's `outcomes`; None while too few were seen as something to tell them apart."""
    if not (kept := sums.get("seen_as")):
        return None
    gain = LinearGain(_read(kept["treated"]), _read(kept["control"]))
    columns = tuple(Column(**one) for one in kept["columns"])
    return Tailored(columns, gain) if columns and gain.is_enough else None


def _written(arm: LinearArm) -> dict[str, Any]:
    return {"n": arm.n, "xx": arm.xx.tolist(), "xr": arm.xr.tolist(), "rr": arm.rr}


def _read(kept: Mapping[str, Any]) -> LinearArm:
    return LinearArm(kept["n"], np.array(kept["xx"]), np.array(kept["xr"]), kept["rr"])


def load_seen(experiment: Experiment) -> dict[int, Seen]:
    """As what each customer was seen when the offer was first shown to them."""
    query = f"""
        SELECT DISTINCT ON (customer_id) customer_id, properties -> 'seenAs'
        FROM {Event._meta.db_table}
        WHERE name = %s AND occurred_at >= %s AND properties ->> 'experimentId' = %s
            AND jsonb_typeof(properties -> 'seenAs') = 'object'
        ORDER BY customer_id, occurred_at
    """  # noqa: S608  (a table's name)
    with connection.cursor() as cursor:
        cursor.execute(query, [EXPOSURE, experiment.started_at, experiment.key])
        return {customer: json.loads(seen) for customer, seen in cursor.fetchall()}
