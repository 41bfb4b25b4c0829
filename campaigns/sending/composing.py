"""From a ledger row to a message on the wire; one customer's trouble stays that customer's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_noop

from campaigns.channels import Recipient, Sheet, language_for
from campaigns.items.picks import ItemTexts
from campaigns.ledger import Row
from campaigns.models import SkipReason
from campaigns.sending.context import ChunkData, RunContent, values_before
from campaigns.tracking import links
from campaigns.tracking.links import Keys, Links
from campaigns.tracking.short import shorten
from campaigns.tracking.utm import tag_url, utm_of
from campaigns.transport.session import ChannelError, Outgoing, Session
from personalization.content.errors import LeftOut, MissingValue, RenderError, UsedUp
from personalization.content.needs import GIVENS, Givens
from personalization.content.remembering import FRAGMENTS
from personalization.customers.names import full_name

REASONS: dict[type[RenderError], SkipReason] = {
    MissingValue: SkipReason.MISSING_VALUE, LeftOut: SkipReason.LEFT_OUT, UsedUp: SkipReason.NO_COUPON,
}  # fmt: skip

# A catalog may be emptied after the launch, and somebody may have bought all that fits.
NO_ITEMS = gettext_noop("it shows items, and there was none to show")


class NotPossible(Exception):
    """There is no message for this customer; `reason` is the ledger's."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason


class Composer:
    def __init__(self, run: RunContent, data: ChunkData, *, at: datetime) -> None:
        self._run = run
        self._data = data
        self._items = ItemTexts(data.items, run.memory)
        self._at = at
        self._issued = int(at.timestamp())
        self._keys = Keys()
        self._given: dict[int, Givens] = {}
        self._sheets = {
            key: Sheet(run.run_id, run.campaign_id, key, run.content, at) for key in run.content["variants"]
        }
        self._utm = {
            key: utm_of(
                run.content.get("utm") or {}, channel=run.channel.name,
                campaign=run.content["campaign_name"], variant=key,
            )
            for key in run.content["variants"]
        }  # fmt: skip

    def address_of(self, row: Row) -> str:
        """Empty where there is none."""
        return self._data.addresses.get(row.customer_id or 0, "")

    def inputs(self, row: Row) -> dict[str, Any] | None:
        """What this message is made from beside the profile: `items` shown (see picks.Pick), and under
        `needs` what each of the template's tags was given; once it was made, only those that it came to.
        `language` is that of the text, where there are several."""
        picks = list(self._data.picks.get(row.customer_id, ())) if row.customer_id is not None else []
        needs = {
            key: given.record
            for key, given in self._data.givens.get(row.id, {}).items()
            if given.record is not None and (row.id not in self._given or key in self._given[row.id].used)
        }
        language = self._language(row)
        if not picks and not needs and language is None:
            return None
        if needs:
            known = {pick[0] for pick in picks}
            more = [pick for key in needs if key.startswith("recommend:") for pick in needs[key]]
            picks += [pick for pick in more if pick[0] not in known]
        found: dict[str, Any] = {"items": picks, "at": self._issued}
        if chosen := self._data.pictures.get(row.customer_id or 0):
            found["pictures"] = {str(item): picture.url for item, picture in chosen.items()}
        if language is not None:
            found["language"] = language
        return {**found, "needs": needs} if needs else found

    def _language(self, row: Row) -> str | None:
        """Of the text that the customer gets; None where there is only one."""
        template, profile = (
            self._run.templates.get(row.variant),
            self._data.profiles.get(row.customer_id or 0),
        )
        return None if template is None or profile is None else language_for(template, profile)

    def unused_coupons(self, row: Row) -> tuple[str, ...]:
        """Pools of which this message, as it was made, shows no code: nobody has seen the one it holds."""
        used = self._given[row.id].used if row.id in self._given else set()
        loaded = self._data.givens.get(row.id, {})
        return tuple(key.split(":")[1] for key in loaded if key.startswith("coupon:") and key not in used)

    def render(self, row: Row) -> Any:
        """The message with its links, as the channel's `finish` answers it. Raises NotPossible."""
        return self._finished(row)[0]

    def _finished(self, row: Row) -> tuple[Any, str]:
        """The same, and the address to unsubscribe at."""
        profile = self._data.profiles.get(row.customer_id or 0)
        if profile is None:
            raise NotPossible(SkipReason.ERASED)
        if not self._data.addresses.get(profile["id"], ""):
            raise NotPossible(SkipReason.NO_ADDRESS)
        template = self._run.templates.get(row.variant)
        if template is None:
            raise NotPossible(SkipReason.NO_CONTENT, self._run.broken.get(row.variant, ""))
        own = Links(row.id, self._issued, self._keys)
        try:
            rendered = template.render(self.context(row, profile, own.unsubscribe))
            if row.variant in self._run.bound_to_items and not self._has_items(row, profile["id"]):
                raise RenderError(NO_ITEMS)
            finished = self._run.channel.finish(
                rendered,
                track=self._tracking(own, row),
                pixel_url=own.pixel,
                keep=own.unsubscribe,
                trap_url=own.trap,
            )
            return finished, own.unsubscribe
        except RenderError as error:
            raise NotPossible(REASONS.get(type(error), SkipReason.NO_CONTENT), str(error)) from error
        except (OperationalError, InterfaceError):
            raise  # nobody is left out because the database was away
        except Exception as error:
            # Whatever a hostile value or template made of it: the neighbors get their messages.
            raise NotPossible(SkipReason.NO_CONTENT, type(error).__name__) from error

    def _has_items(self, row: Row, customer: int) -> bool:
        """Whether one of the lists that its text came to is not empty; a text may come to none."""
        given, loaded = self._given[row.id], self._data.givens.get(row.id, {})
        lists = [loaded[key].value for key in given.used if key.startswith("recommend:") and key in loaded]
        if row.variant in self._run.choices:
            lists.append([pick for pick in self._data.picks.get(customer, ()) if pick[0] in self._data.items])
        return not lists or any(lists)

    def compose(self, row: Row, session: Session) -> Outgoing:
        """Raises NotPossible, ChannelError."""
        finished, unsubscribe = self._finished(row)
        profile, channel = self._data.profiles[row.customer_id or 0], self._run.channel
        name = full_name(profile["first_name"], profile["last_name"])
        recipient = Recipient(
            self._data.addresses[profile["id"]],
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

    def _tracking(self, own: Links, row: Row) -> Callable[[str], str]:
        utm, is_short = self._utm[row.variant], self._run.channel.shortens_links
        if not self._run.content.get("tracks_clicks", True):
            return lambda url: tag_url(url, utm)

        def track(url: str) -> str:
            tagged = tag_url(url, utm)
            if is_short:
                return shorten(row.id, tagged, at=self._at)
            return own.click(tagged) or tagged

        return track

    def context(self, row: Row, profile: dict[str, Any], unsubscribe_url: str) -> dict[str, Any]:
        loaded = self._data.givens.get(row.id, {})
        given = self._given[row.id] = Givens({key: one.value for key, one in loaded.items()})
        return {
            **values_before(self._run, row, profile, at=self._at),
            "items": self._items.of(
                self._data.picks.get(profile["id"], ()),
                profile["language"],
                self._data.pictures.get(profile["id"]),
            ),
            "unsubscribe_url": unsubscribe_url,
            GIVENS: given,
            FRAGMENTS: self._run.memory.fragments,
        }
