"""Everything a chunk's messages are made of, loaded once per chunk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from campaigns import channels, needs
from campaigns.channels import Channel
from campaigns.item_choice import ItemChoice, stored_choice
from campaigns.items.asked_for import asks_for_items
from campaigns.items.memory import ItemMemory
from campaigns.items.picks import Pick, items_of, pick_items, pictures_for
from campaigns.ledger import Row
from campaigns.models import Run
from campaigns.schedule.timing import Timing
from campaigns.sending import copies
from personalization.content.errors import TemplateError
from personalization.context import as_values
from personalization.customers import selectors as customers
from personalization.customers.contexts import context_of
from recommender.ranking.own_pictures import Chosen


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
    is_test: bool = False
    memory: ItemMemory = field(default_factory=ItemMemory, compare=False)
    _patterns: dict[str, copies.Pattern] = field(default_factory=dict, compare=False)

    def pattern(self, variant: str) -> copies.Pattern:
        """What the copies of this variant's messages are squeezed against."""
        if variant not in self._patterns:
            source = self.templates[variant].source
            self._patterns[variant] = copies.pattern(self.run_id, variant, self.channel.sample(source))
        return self._patterns[variant]

    @cached_property
    def bound_to_items(self) -> frozenset[str]:
        """Variants that show items and say nothing without any."""
        return frozenset(
            key
            for key, template in self.templates.items()
            if (key in self.choices or any(need.kind == "recommend" for need in template.needs))
            and not asks_for_items(template.source)
        )

    @cached_property
    def situated(self) -> frozenset[str]:
        """Variants that read the situation. Local time and holidays cost more than all else of a short
        message: told only where they are read."""
        return frozenset(
            key
            for key, template in self.templates.items()
            if template.uses("context") or any(need.kind == "generate" for need in template.needs)
        )


@lru_cache(maxsize=8)
def run_content(run_id: int) -> RunContent:
    """Content is frozen at launch, so a worker compiles it once."""
    run = Run.everything.select_related("experiment").get(pk=run_id)
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
        run.pk, run.campaign_id, run.experiment.key, channel, run.content, templates, choices, broken, timing,
        run.is_test,
    )  # fmt: skip


@dataclass(frozen=True)
class ChunkData:
    """`profiles` and `addresses` by customer; `picks` what was recommended, by customer; `givens` what the
    templates' tags asked for, by delivery and key of the need."""

    profiles: Mapping[int, dict[str, Any]]
    items: Mapping[int, dict[str, Any]]
    picks: Mapping[int, list[Pick]]
    addresses: Mapping[int, str] = field(default_factory=dict)
    givens: Mapping[int, Mapping[str, needs.Given]] = field(default_factory=dict)
    pictures: Mapping[int, Mapping[int, Chosen]] = field(default_factory=dict)


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
    return ChunkData(
        profiles, items_of(picks), picks, run.channel.addresses(profiles), pictures=pictures_for(picks)
    )


def load_needs(
    run: RunContent,
    data: ChunkData,
    rows: Sequence[Row],
    *,
    at: datetime,
    is_real: bool = True,
    pretended: dict[str, int] | None = None,
) -> ChunkData:
    """The same with what the tags of the rows' templates ask for. Only for rows that are to be sent: what
    there is one of for each message, a coupon code, is taken here."""
    asked: list[needs.Asked] = []
    found: dict[int, dict[str, needs.Given]] = {}
    shown: dict[int, frozenset[int]] = {}
    for row in rows:
        template = run.templates.get(row.variant)
        profile = data.profiles.get(row.customer_id or 0)
        if template is None or profile is None or not template.needs or profile["id"] not in data.addresses:
            continue
        some, failed = needs.ask_for(
            channels.text_for(template, profile).needs,
            values_before(run, row, profile, at=at),
            delivery_id=row.id,
            variant=row.variant,
        )
        asked += some
        found.setdefault(row.id, {}).update({key: given for (_delivery, key), given in failed.items()})
        shown[row.id] = frozenset(pick[0] for pick in data.picks.get(profile["id"], ()))
    if not asked and not found:
        return data
    scene = needs.Scene(
        run.run_id, run.content, at, is_real, shown, {} if pretended is None else pretended, run.memory
    )
    for delivery, given in needs.load(asked, scene).items():
        found.setdefault(delivery, {}).update(given)
    return replace(data, givens=found)


def values_before(run: RunContent, row: Row, profile: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    """What a template sees before anything is loaded for it; see content.needs.KNOWN_BEFORE."""
    return {
        "customer": profile,
        "context": as_values(context_of(profile, at=at)) if row.variant in run.situated else {},
        "now": at,
        "trigger": dict(row.variables or {}),
        "campaign": {"name": run.content["campaign_name"], "topic": run.content["topic"]},
    }
