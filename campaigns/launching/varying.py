"""`{% vary %}`: each choice in a message is an experiment of its own, made at the launch, told in the report.

Its variants are the versions in the order of the template. Who gets which, with what chance, is stored like
any assignment; opens and clicks of the campaign's messages count for it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns import channels
from experiments import services
from experiments.models import Allocation, Experiment
from personalization.content.choices import excerpt
from personalization.content.errors import TemplateError
from personalization.content.needs import Need


def start_varying(
    run_key: str, content: Mapping[str, Any], *, parent: Experiment, at: datetime
) -> dict[str, dict[str, int]]:
    """An experiment for each choice in the messages, by variant and name; {} when there is none."""
    found: dict[str, dict[str, int]] = {}
    channel = channels.get(content["channel"])
    for position, (key, variant) in enumerate(content["variants"].items()):
        try:
            needs = channel.compile(variant).needs
        except TemplateError:
            continue  # told when it is sent: nobody of this variant gets a message
        for need in needs:
            if need.kind == "vary":
                experiment = _start(f"{run_key}-vary-{position}-{need.name}", need, variant, parent, at)
                found.setdefault(key, {})[need.name] = experiment.pk
    return found


def _start(key: str, need: Need, variant: Mapping[str, Any], parent: Experiment, at: datetime) -> Experiment:
    versions = [
        services.VariantSpec(key=version_key(number, source), name=_label(number, source), weight=1)
        for number, source in enumerate(need.options, start=1)
    ]
    experiment = services.create_experiment(
        key=key, name=f"{parent.name}, {variant['name']}: {need.name}", variants=versions,
        allocation=Allocation.LEARNING if need.fixed().get("learn") else Allocation.FIXED, within=parent,
    )  # fmt: skip
    services.start_experiment(experiment, at=at)
    return experiment


def version_key(number: int, source: str) -> str:
    """The same text keeps its key from launch to launch: what was learned of it still holds."""
    return f"{number}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _label(number: int, source: str) -> str:
    return f"{number}: {excerpt(source)}"[:100]
