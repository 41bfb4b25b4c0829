"""Everything a chunk's messages are made of, loaded once per chunk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from campaigns import channels
from campaigns.channels import Channel
from campaigns.item_choice import ItemChoice, stored_choice
from campaigns.ledger import Row
from campaigns.models import Run
from campaigns.schedule.timing import Timing
from campaigns.sending.picks import Pick, items_of, pick_items
from personalization.content.errors import TemplateError
from personalization.customers import selectors as customers


@dataclass(frozen=True)
class RunContent:
    """A run as it was launched, with its templates compiled. `templates` maps variant key to template; a
    variant whose template cannot be compiled is missing and has its reason in `broken`. `choices` has for
    those variants that show items which ones."""

    run_id: int
    campaign_id: int
    experiment: str
    channel: Channel
    content: Mapping[str, Any]
    templates: Mapping[str, Any]
    choices: Mapping[str, ItemChoice]
    broken: Mapping[str, str] = field(default_factory=dict)
    timing: Timing = field(default_factory=Timing)


@lru_cache(maxsize=8)
def run_content(run_id: int) -> RunContent:
    """Content is frozen at launch, so a worker compiles it once."""
    run = Run.objects.select_related("experiment").get(pk=run_id)
    channel = channels.get(run.content["channel"])
    templates, choices, broken = {}, {}, {}
    for key, variant in run.content["variants"].items():
        try:
            templates[key] = channel.compile(variant)
        except TemplateError as error:
            broken[key] = str(error)[:300]
        else:
            if templates[key].uses("items"):
                choices[key] = stored_choice(variant)
    timing = Timing.from_json(run.content.get("timing") or {})
    return RunContent(
        run.pk, run.campaign_id, run.experiment.key, channel, run.content, templates, choices, broken, timing
    )


@dataclass(frozen=True)
class ChunkData:
    """`profiles` and `addresses` by customer; `picks` what was recommended, by customer."""

    profiles: Mapping[int, dict[str, Any]]
    items: Mapping[int, dict[str, Any]]
    picks: Mapping[int, list[Pick]]
    addresses: Mapping[int, str] = field(default_factory=dict)


def load(run: RunContent, rows: Sequence[Row]) -> ChunkData:
    ids = [row.customer_id for row in rows if row.customer_id is not None]
    profiles = customers.profiles(ids)
    picks = pick_items(
        {
            row.customer_id: run.choices[row.variant]
            for row in rows
            if row.customer_id is not None and row.customer_id in profiles and row.variant in run.choices
        }
    )
    return ChunkData(profiles, items_of(picks), picks, run.channel.addresses(profiles))
