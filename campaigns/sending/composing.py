"""From a ledger row to a message on the wire; one customer's trouble stays that customer's."""

from datetime import datetime
from typing import Any

from campaigns import links
from campaigns.channels import ChannelError, Outgoing, Recipient, Session, Sheet
from campaigns.ledger import Row
from campaigns.models import SkipReason
from campaigns.sending.context import ChunkData, RunContent
from campaigns.sending.picks import ItemTexts
from personalization.content.errors import RenderError
from personalization.context import as_values
from personalization.customers.contexts import context_of


class NotPossible(Exception):
    """There is no message for this customer; `reason` is the ledger's."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason


class Composer:
    def __init__(self, run: RunContent, data: ChunkData, *, at: datetime) -> None:
        self._run = run
        self._data = data
        self._items = ItemTexts(data.items)
        self._at = at
        self._issued = int(at.timestamp())
        # Local time and holidays cost more than all else of a short message: told only where they are read.
        self._situated = {key for key, template in run.templates.items() if template.uses("context")}
        self._sheets = {
            key: Sheet(run.run_id, run.campaign_id, key, run.content, at) for key in run.content["variants"]
        }

    def inputs(self, row: Row) -> dict[str, Any] | None:
        """What this message is made from beside the profile: the picks (see picks.Pick)."""
        picks = self._data.picks.get(row.customer_id) if row.customer_id is not None else None
        return {"items": picks, "at": self._issued} if picks else None

    def render(self, row: Row) -> Any:
        """The message with its links, as the channel's `finish` answers it. Raises NotPossible."""
        profile = self._data.profiles.get(row.customer_id or 0)
        if profile is None:
            raise NotPossible(SkipReason.ERASED)
        if not self._data.addresses.get(profile["id"], ""):
            raise NotPossible(SkipReason.NO_ADDRESS)
        template = self._run.templates.get(row.variant)
        if template is None:
            raise NotPossible(SkipReason.NO_CONTENT, self._run.broken.get(row.variant, ""))
        unsubscribe = links.unsubscribe_url(row.id, self._issued)
        try:
            rendered = template.render(self.context(row, profile, unsubscribe))
            return self._run.channel.finish(
                rendered,
                track=lambda url: links.click_url(row.id, self._issued, url) or url,
                pixel_url=links.open_url(row.id, self._issued),
                keep=unsubscribe,
                trap_url=links.trap_url(row.id, self._issued),
            )
        except RenderError as error:
            raise NotPossible(SkipReason.NO_CONTENT, str(error)) from error
        except Exception as error:
            # Whatever a hostile value or template made of it: the neighbors get their messages.
            raise NotPossible(SkipReason.NO_CONTENT, type(error).__name__) from error

    def compose(self, row: Row, session: Session) -> Outgoing:
        """Raises NotPossible, ChannelError."""
        finished = self.render(row)
        profile, channel = self._data.profiles[row.customer_id or 0], self._run.channel
        address, unsubscribe = (
            self._data.addresses[profile["id"]],
            links.unsubscribe_url(row.id, self._issued),
        )
        name = f"{profile['first_name']} {profile['last_name']}".strip()
        recipient = Recipient(
            address,
            name,
            links.message_id(row.id, self._run.run_id, profile["id"], channel.name),
            unsubscribe,
        )
        try:
            return channel.compose(finished, recipient, sheet=self._sheets[row.variant], session=session)
        except ChannelError:
            raise
        except ValueError as error:
            raise NotPossible(SkipReason.INVALID_ADDRESS, str(error)) from error

    def context(self, row: Row, profile: dict[str, Any], unsubscribe_url: str) -> dict[str, Any]:
        situation = as_values(context_of(profile, at=self._at)) if row.variant in self._situated else {}
        return {
            "customer": profile,
            "context": situation,
            "items": self._items.of(self._data.picks.get(profile["id"], ()), profile["language"]),
            "unsubscribe_url": unsubscribe_url,
            "now": self._at,
            "trigger": dict(row.variables or {}),
            "campaign": {"name": self._run.content["campaign_name"], "topic": self._run.content["topic"]},
        }
