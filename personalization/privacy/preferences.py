"""What one customer allows, by channel and topic, as the customer sees and changes it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from personalization.customers import selectors as customers
from personalization.customers.models import Channel, Consent, Customer, SuppressionReason
from personalization.customers.services import Proof, record_consent, unsuppress
from personalization.privacy.models import Topic
from personalization.privacy.topics import usual_name

SOURCE = "preferences page"
ADDRESS_COLUMNS = {"email": "email", "sms": "phone"}


@dataclass(frozen=True)
class Choice:
    """One box of the page. `name` is that of the form's field."""

    channel: str
    label: str
    granted: bool
    name: str


@dataclass(frozen=True)
class TopicChoices:
    key: str
    name: str
    description: str
    choices: list[Choice]


def choices_of(customer: Customer) -> list[TopicChoices]:
    """Every topic on offer, and those the customer once said something about, by every channel that can
    reach this customer."""
    said = {
        (c.channel, c.topic): c.granted for c in Consent.objects.filter(customer=customer, is_current=True)
    }
    known = {topic.key: topic for topic in Topic.objects.all()}
    offered = [key for key, topic in known.items() if topic.is_public]
    keys = offered + sorted({topic for _channel, topic in said} - set(offered))
    channels = [
        (value, label)
        for value, label in Channel.choices
        if getattr(customer, ADDRESS_COLUMNS.get(value, ""), "") or any(c == value for c, _topic in said)
    ]
    return [
        TopicChoices(
            key=key,
            name=known[key].text("name") if key in known else usual_name(key),
            description=known[key].text("description") if key in known else "",
            choices=[
                Choice(value, str(label), said.get((value, key), False), f"{value}:{key}")
                for value, label in channels
                if key in offered or (value, key) in said
            ],
        )
        for key in keys
    ]


@transaction.atomic
def save_choices(customer: Customer, ticked: set[str], *, origin_address: str) -> int:
    """Records what differs from before, as statements of the customer; the number of them.

    A no holds for every profile with the same address: whoever reads that mailbox said it. A yes also takes
    the address off the suppression list if the customer's own unsubscribing had put it there.
    """
    count = 0
    for topic in choices_of(customer):
        for choice in topic.choices:
            granted = choice.name in ticked
            if granted == choice.granted:
                continue
            wording = _("%(topic)s by %(channel)s") % {"topic": topic.name, "channel": choice.label}
            for customer_id in [customer.pk] if granted else _sharing(customer, choice.channel):
                record_consent(
                    customer_id, channel=choice.channel, topic=topic.key, granted=granted, source=SOURCE,
                    proof=Proof(wording=wording, origin_address=origin_address),
                )  # fmt: skip
            if granted:
                _allow_again(customer, choice.channel)
            count += 1
    return count


def _sharing(customer: Customer, channel: str) -> list[int]:
    column = ADDRESS_COLUMNS.get(channel, "")
    address = str(getattr(customer, column, "") or "").strip()
    if not address:
        return [customer.pk]
    same = Customer.objects.alias(address=Lower(column)).filter(address=address.lower())
    return sorted({customer.pk, *same.values_list("pk", flat=True)})


def _allow_again(customer: Customer, channel: str) -> None:
    if channel != Channel.EMAIL or not customer.email:
        return
    entry = customers.suppression_of(customer, channel=channel)
    if entry is not None and entry.reason == SuppressionReason.UNSUBSCRIBED:
        unsuppress(channel=channel, address=customer.email)
