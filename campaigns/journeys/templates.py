"""Journeys to begin with: each is a graph and the drafts of its messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.item_choice import DEFAULT_COUNT
from campaigns.journeys.services import save_journey
from campaigns.models import CampaignKind, Journey
from campaigns.services import MessageDraft, save_campaign
from personalization.content.starters import starters

if TYPE_CHECKING:
    from personalization.access.models import User

Nodes = Callable[[Mapping[str, int]], dict[str, Any]]
ORDER = "Order Completed"


@dataclass(frozen=True)
class JourneyTemplate:
    """`messages`: subject by name; `graph` makes the draft from the campaigns' numbers by these names."""

    name: Any
    about: Any
    messages: Mapping[str, Any]
    graph: Nodes


def _node(kind: str, params: Mapping[str, Any] | None = None, **ways: str) -> dict[str, Any]:
    return {"kind": kind, "params": dict(params or {}), "next": ways}


def _mail(campaign: int, then: str = "") -> dict[str, Any]:
    return _node("message", {"campaign": campaign}, **({"done": then} if then else {}))


def _cart(mails: Mapping[str, int]) -> dict[str, Any]:
    return {
        "entry": {"kind": "event", "params": {"event": "Product Added"}},
        "reentry": {"rule": "after", "days": 7},
        "exits": [{"event": ORDER, "is_goal": True}],
        "start": "wait",
        "nodes": {
            "wait": _node("delay", {"hours": 1}, done="first"),
            "first": _mail(mails["first"], "day"),
            "day": _node("delay", {"hours": 23}, done="second"),
            "second": _mail(mails["second"]),
        },
    }


def _welcome(mails: Mapping[str, int]) -> dict[str, Any]:
    return {
        "entry": {"kind": "event", "params": {"event": "Signed Up"}},
        "reentry": {"rule": "never"},
        "start": "hello",
        "nodes": {
            "hello": _mail(mails["hello"], "look"),
            "look": _node("until_event", {"event": "Product Viewed", "hours": 72},
                          happened="taste", timeout="help"),
            "taste": _mail(mails["taste"]),
            "help": _mail(mails["help"]),
        },
    }  # fmt: skip


def _win_back(mails: Mapping[str, int]) -> dict[str, Any]:
    return {
        "entry": {"kind": "segment", "params": {"segment": None, "with_present": False}},
        "reentry": {"rule": "after", "days": 180},
        "exits": [{"event": ORDER, "is_goal": True}],
        "start": "ways",
        "nodes": {
            "ways": _node("split_random", {"ways": [["silent", 1], ["mailed", 9]]}, mailed="missed"),
            "missed": _mail(mails["missed"], "week"),
            "week": _node("delay", {"hours": 168, "clock": "10:00"}, done="last"),
            "last": _mail(mails["last"]),
        },
    }


def _birthday(mails: Mapping[str, int]) -> dict[str, Any]:
    return {
        "entry": {"kind": "date",
                  "params": {"trait": "birthday", "days": 0, "yearly": True, "clock": "09:00"}},
        "reentry": {"rule": "always"},
        "start": "wish",
        "nodes": {"wish": _mail(mails["wish"])},
    }  # fmt: skip


def _post_purchase(mails: Mapping[str, int]) -> dict[str, Any]:
    return {
        "entry": {"kind": "event", "params": {"event": ORDER}},
        "reentry": {"rule": "after", "days": 30},
        "start": "arrive",
        "nodes": {
            "arrive": _node("delay", {"hours": 168, "clock": "17:00"}, done="again"),
            "again": _node("split_event", {"event": ORDER, "days": 6}, no="next"),
            "next": _mail(mails["next"]),
        },
    }


def _item(change: str) -> Nodes:
    def graph(mails: Mapping[str, int]) -> dict[str, Any]:
        return {
            "entry": {"kind": "item", "params": {"change": change, "percent": 5, "event": "Product Viewed",
                                                 "days": 30, "bought": ORDER}},
            "reentry": {"rule": "after", "days": 3},
            "exits": [{"event": ORDER, "is_goal": True}],
            "start": "tell",
            "nodes": {"tell": _mail(mails["tell"])},
        }  # fmt: skip

    return graph


TEMPLATES: dict[str, JourneyTemplate] = {
    "abandoned_cart": JourneyTemplate(
        gettext_lazy("Abandoned cart"),
        gettext_lazy("An hour and a day after something was put into the cart, unless it was bought."),
        {"first": gettext_lazy("You left something behind"),
         "second": gettext_lazy("Still thinking it over?")},
        _cart,
    ),
    "welcome": JourneyTemplate(
        gettext_lazy("Welcome"),
        gettext_lazy("A greeting, then what fits: picks for who looks around, help for who does not."),
        {"hello": gettext_lazy("Welcome!"), "taste": gettext_lazy("Chosen for you"),
         "help": gettext_lazy("Can we help you find something?")},
        _welcome,
    ),
    "win_back": JourneyTemplate(
        gettext_lazy("Win back"),
        gettext_lazy("For who comes into a segment of those who stay away; one in ten hears nothing."),
        {"missed": gettext_lazy("We have missed you"), "last": gettext_lazy("New since you were here")},
        _win_back,
    ),
    "birthday": JourneyTemplate(
        gettext_lazy("Birthday"),
        gettext_lazy("Every year on the day itself, at nine of the customer's own clock."),
        {"wish": gettext_lazy("Happy birthday!")},
        _birthday,
    ),
    "post_purchase": JourneyTemplate(
        gettext_lazy("After a purchase"),
        gettext_lazy("A week later, what goes with it, unless they have bought again."),
        {"next": gettext_lazy("Goes well with what you bought")},
        _post_purchase,
    ),
    "price_drop": JourneyTemplate(
        gettext_lazy("Price drop"),
        gettext_lazy("For who looked at an item in the last month and did not buy it."),
        {"tell": gettext_lazy("Now cheaper: what you looked at")},
        _item("price_drop"),
    ),
    "back_in_stock": JourneyTemplate(
        gettext_lazy("Back in stock"),
        gettext_lazy("For who looked at an item that can be bought again."),
        {"tell": gettext_lazy("Back again: what you looked at")},
        _item("back_in_stock"),
    ),
}  # fmt: skip


def template_names() -> list[str]:
    return list(TEMPLATES)


@transaction.atomic
def create_from_template(
    key: str, *, name: str = "", actor: str, created_by: "User | None" = None
) -> Journey:
    """A draft journey with drafts of its messages, to be read through and published."""
    template = TEMPLATES[key]
    name = name.strip() or str(template.name)
    starter = starters()[0]
    campaigns = {
        step: save_campaign(
            None, name=f"{name}: {subject}"[:200], segment=None, kind=CampaignKind.TRIGGERED,
            control_share=0.0, sender_address=settings.DEFAULT_SENDER, actor=actor, created_by=created_by,
            messages=[MessageDraft(key="a", name=_("Variant %(letter)s") % {"letter": "A"},
                                   subject=str(subject), preheader=starter.preheader, body=starter.body,
                                   item_count=DEFAULT_COUNT)],
        ).pk
        for step, subject in template.messages.items()
    }  # fmt: skip
    graph = template.graph(campaigns)
    return save_journey(None, name=name, graph=graph, actor=actor, created_by=created_by)
