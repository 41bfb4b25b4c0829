"""Everything a chunk's messages are made of, loaded once per chunk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.channels import Channel
from campaigns.ledger import Row
from campaigns.models import Run
from personalization.catalog import selectors as catalog
from personalization.content.errors import TemplateError
from personalization.customers import selectors as customers
from recommender import selectors as recommender

N_ITEMS = 6
# Recommended item, reason kind, reason item and what the customer did with it. Messages sent before the last
# part existed are on record without it.
Pick = tuple[int, str, int | None, str]


def pick_of(found: recommender.Recommendation) -> Pick:
    return found.item_id, found.reason_kind, found.reason_item_id, found.reason_event


@dataclass(frozen=True)
class RunContent:
    """A run as it was launched, with its templates compiled. `templates` maps variant key to template; a
    variant whose template cannot be compiled is missing and has its reason in `broken`."""

    run_id: int
    campaign_id: int
    experiment: str
    channel: Channel
    content: Mapping[str, Any]
    templates: Mapping[str, Any]
    broken: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=8)
def run_content(run_id: int) -> RunContent:
    """Content is frozen at launch, so a worker compiles it once."""
    run = Run.objects.select_related("experiment").get(pk=run_id)
    channel = channels.get(run.content["channel"])
    templates, broken = {}, {}
    for key, variant in run.content["variants"].items():
        try:
            templates[key] = channel.compile(variant)
        except TemplateError as error:
            broken[key] = str(error)[:300]
    return RunContent(run.pk, run.campaign_id, run.experiment.key, channel, run.content, templates, broken)


@dataclass(frozen=True)
class ChunkData:
    """`profiles` by customer; `picks` what was recommended, by customer."""

    profiles: Mapping[int, dict[str, Any]]
    items: Mapping[int, dict[str, Any]]
    picks: Mapping[int, list[Pick]]


def load(run: RunContent, rows: Sequence[Row]) -> ChunkData:
    ids = [row.customer_id for row in rows if row.customer_id is not None]
    profiles = customers.profiles(ids)
    wants = {key for key, template in run.templates.items() if template.uses("items")}
    readers = [row.customer_id for row in rows if row.variant in wants and row.customer_id in profiles]
    picks: dict[int, list[Pick]] = {}
    if readers:
        for customer_id, found in recommender.recommend([r for r in readers if r], k=N_ITEMS).items():
            picks[customer_id] = [pick_of(r) for r in found]
    wanted = {item for found in picks.values() for pick in found for item in (pick[0], pick[2]) if item}
    return ChunkData(profiles, catalog.items(wanted), picks)


class ItemTexts:
    """Localized items with their reasons; each combination is made once per chunk."""

    def __init__(self, items: Mapping[int, dict[str, Any]]) -> None:
        self._items = items
        self._localized: dict[tuple[int, str], dict[str, Any]] = {}
        self._reasons: dict[tuple[str, int | None, str, str], str] = {}

    def of(self, picks: Sequence[Pick], language: str) -> list[dict[str, Any]]:
        return [
            {**self._item(item_id, language), "reason": self._reason(kind, because, event, language)}
            for item_id, kind, because, event in picks
            if item_id in self._items
        ]

    def _item(self, item_id: int, language: str) -> dict[str, Any]:
        key = (item_id, language)
        if key not in self._localized:
            self._localized[key] = catalog.localized(self._items[item_id], language)
        return self._localized[key]

    def _reason(self, kind: str, because: int | None, event: str, language: str) -> str:
        key = (kind, because, event, language)
        if key not in self._reasons:
            with translation.override(ui_language(language)):
                self._reasons[key] = self._sentence(kind, because, event, language)
        return self._reasons[key]

    def _sentence(self, kind: str, because: int | None, event: str, language: str) -> str:
        if kind == "because" and because is not None and because in self._items:
            item = {"item": self._item(because, language)["name"]}
            if event == recommender.BOUGHT:
                return _("Because you bought %(item)s") % item
            return _("Because you looked at %(item)s") % item
        if kind == recommender.SIMILAR:
            return _("Popular with customers like you")
        return _("Popular with other customers") if kind == recommender.POPULAR else _("Chosen for you")


def ui_language(language: str) -> str:
    """The language of our own sentences for a customer: Chinese of any kind, else English."""
    return "zh-hans" if language.lower().startswith("zh") else "en"
