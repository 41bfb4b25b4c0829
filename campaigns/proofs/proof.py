"""One message of a campaign as one customer would get it in a chosen situation, with all that is to say
about it. Nothing is sent, nothing taken from pools, nothing written down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.editor.examples import example_contexts, preheader_of
from campaigns.editor.short_links import as_sent
from campaigns.editor.trial import give
from campaigns.item_choice import ItemChoice
from campaigns.models import Campaign, Message
from campaigns.planning.frozen import content_of
from campaigns.proofs.trail import Trail
from campaigns.proofs.unlike import Choice
from campaigns.tracking.links import Links
from campaigns.tracking.utm import utm_of
from campaigns.why.answers import Decision
from personalization.content.accessibility import check_accessibility
from personalization.content.errors import Problem, RenderError
from personalization.content.messages import CLIPPED_AT
from personalization.content.spam_words import check_words
from personalization.context import as_values
from personalization.customers import reading
from personalization.customers.contexts import context_of
from personalization.customers.models import Customer
from recommender.ranking.rules import Rules

# A delivery with as many digits as a large shop's: a tracked link is as long as it will be.
DELIVERY_ID, ISSUED_AT = 10**9, 1_800_000_000


@dataclass(frozen=True)
class Situation:
    """`raw`: the words of the Segment spec that win over the profile."""

    at: datetime
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """`failure`: why there is no message for this customer; then `shown` is empty. `sent_bytes`: the HTML
    with its tracked links, 0 for channels without HTML."""

    customer: Customer
    reason: str | Promise
    shown: dict[str, Any]
    failure: str
    sent_bytes: int
    problems: Sequence[Problem]
    decisions: Sequence[Decision]

    @property
    def is_clipped(self) -> bool:
        """Whether Gmail cuts it off."""
        return self.sent_bytes > CLIPPED_AT

    @property
    def share_of_limit(self) -> float:
        return self.sent_bytes / CLIPPED_AT


def draw_proofs(
    campaign: Campaign, message: Message, choices: Sequence[Choice], *, situation: Situation, masked: bool
) -> Iterator[Proof]:  # fmt: skip
    """`masked`: the caller may not see personal data; then neither message nor customer shows any."""
    channel, content = channels.get(campaign.channel), content_of(message)
    ids = [one.customer_id for one in choices]
    rows = Customer.objects.in_bulk(ids)
    contexts = example_contexts(
        rows, campaign=campaign.name, choice=ItemChoice(message.item_count, Rules.from_json(message.rules)),
        at=situation.at, raw=situation.raw,
    )  # fmt: skip
    addresses = channel.addresses({pk: context["customer"] for pk, context in contexts.items()})
    trail = Trail(campaign, message, contexts, at=situation.at)
    utm = utm_of(campaign.utm, channel=channel.name, campaign=campaign.name, variant=message.key)
    for one in choices:
        customer, context = rows[one.customer_id], contexts[one.customer_id]
        if masked:
            reading.mask(customer)
            profile = context["customer"] = reading.mask_profile(context["customer"])
            context["context"] = as_values(context_of(profile, at=situation.at, raw=situation.raw))
        text = channels.in_language(content, context["customer"].get("language"))
        shown, failure, size = _rendered(
            channel, text, context, tracks_clicks=campaign.tracks_clicks, utm=utm
        )
        decisions = list(trail.of(customer.pk, context, address=addresses.get(customer.pk, "")))
        problems = _problems(channel.problems(text, context), shown)
        yield Proof(customer, one.reason, shown, failure, size, problems, decisions)


def _problems(found: Sequence[Problem], shown: Mapping[str, Any]) -> list[Problem]:
    """Errors first, each sentence once: template and rendered page are both looked at."""
    if shown.get("html"):
        found = [
            *found, *check_accessibility(shown["html"]),
            *check_words(subject=shown.get("subject", ""), text=shown.get("text", "")),
        ]  # fmt: skip
    kept = {(one.field, str(one.message)): one for one in found}
    return sorted(kept.values(), key=lambda one: one.level != "error")


def _rendered(
    channel: channels.Channel,
    content: dict[str, Any],
    context: dict[str, Any],
    *,
    tracks_clicks: bool,
    utm: dict[str, str],
) -> tuple[dict[str, Any], str, int]:
    """What is shown, why there is nothing to show, and the bytes of the HTML as sent."""
    compiled = give(channel, content, context)
    if compiled is None:
        return {}, _("The template has errors; mend them first."), 0
    try:
        rendered = as_sent(
            channel, compiled.render(context), keep=context["unsubscribe_url"],
            tracks_clicks=tracks_clicks, utm=utm,
        )  # fmt: skip
    except RenderError as error:
        return {}, str(error) or _("The template failed."), 0
    shown = dict(channel.preview(rendered))
    if "preheader" in {one.name for one in channel.fields}:
        shown["preheader"] = preheader_of(content["preheader"], context)
    if not shown.get("html"):
        return shown, "", 0
    own = Links(DELIVERY_ID, ISSUED_AT)
    finished = channel.finish(
        rendered,
        track=lambda url: own.click(url) or url,
        pixel_url=own.pixel,
        keep=context["unsubscribe_url"],
        trap_url=own.trap,
    )
    return shown, "", len(finished.html.encode())
