"""One message to a test recipient, on any channel: marked as a test, in no ledger, in no rate.

It goes by the same accounts, composing and session as a campaign; what the provider says is told in words.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import channels, needs
from campaigns.channels import Recipient, Sheet
from campaigns.errors import InvalidCampaign
from campaigns.senders import accounts
from campaigns.sending import devices
from campaigns.transport.session import Answer, ChannelError
from personalization.access.services import audit
from personalization.content.errors import RenderError, TemplateError
from personalization.content.needs import GIVENS, Givens
from personalization.customers import selectors as customers


@dataclass(frozen=True)
class Trial:
    """`content` as a channel compiles it, `context` of the customer whose message it is."""

    channel: channels.Channel
    content: Mapping[str, Any]
    context: dict[str, Any]
    sender_address: str = ""
    sender_name: str = ""


def send_trial(trial: Trial, *, to: str, actor: str) -> Answer:
    """Raises InvalidCampaign with a sentence that says what to do."""
    channel, to = trial.channel, to.strip().replace("\0", "")
    address = channel.test_address(to)
    if not address:
        text = _("No test can go to this recipient. What belongs here: %(what)s")
        raise _wrong("/to", text % {"what": channel.test_help})
    if _is_silenced(channel.name, to, address):
        raise _wrong("/to", _("This address is on the list of those who get nothing on this channel."))
    if channel.needs_sender_address and not channel.is_address(trial.sender_address):
        raise _wrong("/sender_address", _("The sender's address is not valid."))
    answer = _hand_over(trial, _rendered(trial), address)
    audit(actor, "campaign.tested", "campaign", channel=channel.name, outcome=answer.kind)
    if answer.kind != "sent":
        raise InvalidCampaign(_in_words(answer))
    return answer


def _is_silenced(channel: str, to: str, address: str) -> bool:
    """By the address, or, where a customer was named, by the person."""
    customer = customers.find(to)
    return customers.is_suppressed(address, channel=channel) or bool(
        customer and customers.suppressed_ids([customer.pk], channel=channel)
    )


def _rendered(trial: Trial) -> Any:
    compiled = give(trial.channel, dict(trial.content), trial.context)
    if compiled is None:
        raise InvalidCampaign(_("The message has errors; mend them first."))
    try:
        return trial.channel.as_test(compiled.render(trial.context))
    except RenderError as error:
        text = _("The message cannot be made for this customer: %(why)s")
        raise InvalidCampaign(text % {"why": error}) from error


def _hand_over(trial: Trial, rendered: Any, address: str) -> Answer:
    content = {
        **trial.content, "sender_address": trial.sender_address, "sender_name": trial.sender_name,
        "campaign_name": "test", "topic": "test",
    }  # fmt: skip
    sheet = Sheet(run_id=0, campaign_id=0, variant="test", content=content, at=timezone.now())
    recipient = Recipient(address, "", secrets.token_hex(16), f"{settings.SITE_URL}/")
    session = trial.channel.session()
    try:
        message = trial.channel.compose(rendered, recipient, sheet=sheet, session=session)
        return devices.hand_over(session, message, intent=lambda: None)
    except ValueError as error:
        text = _("The message cannot be made for this recipient: %(why)s")
        raise InvalidCampaign(text % {"why": error}) from error
    except ChannelError as error:
        text = accounts.trouble_of(trial.channel.name) or _("The provider cannot be used: %(why)s") % {
            "why": error
        }
        raise InvalidCampaign(text) from error
    finally:
        session.close()


def _in_words(answer: Answer) -> str:
    text = {
        "refused": _("The provider refused the test: %(why)s"),
        "later": _("The provider did not take the test now; try again in a minute. It said: %(why)s"),
        "unknown": _("The test was handed over, but no answer came; it may have arrived. %(why)s"),
    }[answer.kind]
    return text % {"why": answer.detail}


def _wrong(pointer: str, detail: str) -> InvalidCampaign:
    return InvalidCampaign(detail, errors=[{"pointer": pointer, "detail": detail}])


def give(
    channel: channels.Channel, content: dict[str, Any], context: dict[str, Any]
) -> channels.Template | None:
    """The compiled message, and in `context` what its tags ask for as far as a preview may take it; None when
    it cannot be compiled."""
    try:
        compiled = channel.compile(content)
    except TemplateError:
        return None
    own = channels.text_for(compiled, context["customer"])
    asked, failed = needs.ask_for(own.needs, context, delivery_id=0, variant="")
    scene = needs.Scene(0, content, context["now"], is_real=False)
    found = needs.load(asked, scene).get(0, {}) | {key: given for (_id, key), given in failed.items()}
    context[GIVENS] = Givens({key: one.value for key, one in found.items()})
    return compiled
