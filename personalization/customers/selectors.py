"""Reads of the customers room: profiles for templates, and who may be written to."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from personalization.customers.addresses import address_hash
from personalization.customers.declared import unseal
from personalization.customers.models import Channel, Consent, Customer, Suppression
from personalization.importing.passing import ask, numbers, these

PROFILE_FIELDS = (
    "id", "external_id", "email", "phone", "first_name", "last_name", "language", "country", "city",
    "time_zone",     "created_at", "traits",
)  # fmt: skip


def profiles(customer_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Plain dictionaries by customer id, as templates see them; `traits` holds all other traits, those that
    are kept encrypted in clear.

    Ids that do not exist are absent.
    """
    rows = Customer.objects.filter(pk__in=these(customer_ids)).values(*PROFILE_FIELDS)
    found = {row["id"]: dict(row) for row in rows}
    unseal({pk: row["traits"] for pk, row in found.items()})
    return found


def profile_by_external_id(external_id: str) -> dict[str, Any] | None:
    """As `profiles`, of the customer who has this id now; None when nobody has (former ids: see `find`)."""
    if "\0" in external_id:
        return None
    return Customer.objects.filter(external_id=external_id).values(*PROFILE_FIELDS).first()


def consented_ids(customer_ids: Collection[int], *, channel: str, topic: str) -> set[int]:
    """Those of `customer_ids` whose current statement for channel and topic is a yes; silence is a no."""
    rows = ask(
        "SELECT customer_id FROM customers_consent WHERE customer_id = ANY(%s::bigint[])"
        " AND channel = %s AND topic = %s AND is_current AND granted",
        [numbers(customer_ids), channel, topic],
    )
    return {row[0] for row in rows}


def consented(*, channel: str, topic: str) -> QuerySet[Customer]:
    """All customers whose current statement for channel and topic is a yes."""
    return Customer.objects.filter(
        Exists(_granted(channel=channel, topic=topic).filter(customer=OuterRef("pk")))
    )


def suppressed_ids(customer_ids: Collection[int], *, channel: str) -> set[int]:
    """Those of `customer_ids` whose present address is on the channel's suppression list.

    Judged by the address, not by the customer: two profiles with one address are both silent, and a customer
    who changed the address may be written to again.
    """
    rows = _addresses(customer_ids, channel=channel)
    hashes = {pk: address_hash(channel, address) for pk, address in rows if address}
    rows = ask(
        "SELECT address_hash FROM customers_suppression"
        " WHERE channel = %s AND address_hash = ANY(%s::text[])",
        [channel, "{" + ",".join(set(hashes.values())) + "}"],  # digits and letters, nothing to be quoted
    )
    listed = {row[0] for row in rows}
    return {pk for pk, value in hashes.items() if value in listed}


def is_suppressed(address: str, *, channel: str) -> bool:
    return Suppression.objects.filter(channel=channel, address_hash=address_hash(channel, address)).exists()


def suppression_of(customer: Customer, *, channel: str) -> Suppression | None:
    """The entry that silences this customer's present address, None when there is none."""
    return suppressions_by_customer([customer.pk], channel=channel).get(customer.pk)


def suppressions_by_customer(customer_ids: Collection[int], *, channel: str) -> dict[int, Suppression]:
    """The entries that silence the present addresses of these customers; others are absent."""
    rows = _addresses(customer_ids, channel=channel)
    hashes = {pk: address_hash(channel, address) for pk, address in rows if address}
    found = Suppression.objects.filter(channel=channel, address_hash__in=set(hashes.values()))
    entries = {entry.address_hash: entry for entry in found}
    return {pk: entries[value] for pk, value in hashes.items() if value in entries}


def suppressions_of(customer: Customer) -> QuerySet[Suppression]:
    """The entries that silence this customer's present addresses, one a channel at most."""
    own = {channel: present_address(customer, channel=channel) for channel in Channel}
    hashes = [address_hash(channel, address) for channel, address in own.items() if address]
    return Suppression.objects.filter(address_hash__in=hashes).order_by("channel")


def consent_history(customer: Customer) -> QuerySet[Consent]:
    """Every statement of this customer, newest first."""
    return customer.consents.select_related("wording").order_by("-recorded_at", "-id")


def find(external_id: str) -> Customer | None:
    """The customer known by this id now or before a merge; None when nobody is."""
    if "\0" in external_id:
        return None
    customer = Customer.objects.filter(external_id=external_id).first()
    if customer is None:
        customer = Customer.objects.filter(
            identifiers__kind="user_id", identifiers__value=external_id
        ).first()
    return customer


def find_any(name: str) -> Customer | None:
    """As `find`, and by `#` with our own number of a profile, for visitors have no other id."""
    if name.startswith("#") and name[1:].isdecimal() and len(name) < 20:
        return Customer.objects.filter(pk=int(name[1:]), merged_into=None).first()
    return find(name)


def customer_ids(external_ids: Iterable[str]) -> dict[str, int]:
    """As `find`, for many at once; those whom nobody knows are absent."""
    wanted = {one for one in external_ids if "\0" not in one}
    found = Customer.objects.filter(external_id__in=wanted).values_list("external_id", "pk")
    known = {external_id: pk for external_id, pk in found if external_id is not None}
    if missing := wanted - known.keys():
        merged = Customer.objects.filter(identifiers__kind="user_id", identifiers__value__in=missing)
        known.update(merged.values_list("identifiers__value", "pk"))
    return known


def _granted(*, channel: str, topic: str) -> QuerySet[Consent]:
    return Consent.objects.filter(channel=channel, topic=topic, is_current=True, granted=True)


ADDRESS_COLUMNS = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.WHATSAPP: "phone"}


def _addresses(customer_ids: Collection[int], *, channel: str) -> Iterable[tuple[int, str]]:
    """What a suppression of this channel names: the address, or the person where devices come and go."""
    column = ADDRESS_COLUMNS.get(Channel(channel))
    if column is None:
        return [(pk, person_address(pk)) for pk in customer_ids]
    return ask(
        f"SELECT id, {column} FROM customers_customer WHERE id = ANY(%s::bigint[])",  # noqa: S608
        [numbers(customer_ids)],
    )


def present_address(customer: Customer, *, channel: str) -> str:
    """What a suppression of this channel would name now; "" without an address."""
    column = ADDRESS_COLUMNS.get(Channel(channel))
    return str(getattr(customer, column) or "") if column else person_address(customer.pk)


def person_address(customer_id: int) -> str:
    """What stands for an address on channels that reach devices and not an address of the customer's."""
    return f"#{customer_id}"
