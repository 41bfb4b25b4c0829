"""Addresses of public pages, signed: whoever holds one may use it, and nobody can make one up."""

from django.conf import settings
from django.core.signing import BadSignature, Signer

from personalization.customers.addresses import address_hash
from personalization.customers.models import Channel, Customer

CONFIRM, PREFERENCES = "confirm an opt-in", "preferences"


def _signer(purpose: str) -> Signer:
    return Signer(key=settings.LINK_KEY, salt=f"bespoke {purpose}", sep=".")


def confirm_url(opt_in_id: int) -> str:
    return f"{settings.SITE_URL}/p/confirm/{_signer(CONFIRM).sign(str(opt_in_id))}"


def read_confirm(token: str) -> int | None:
    """The opt-in of this link; None for what we did not sign for this purpose."""
    value = _unsign(CONFIRM, token)
    return int(value) if value is not None and value.isdecimal() else None


def preferences_url(customer: Customer) -> str:
    """Good for as long as the customer keeps the e-mail address: links in a mailbox given up open nothing."""
    value = f"{customer.pk}-{_mark(customer)}"
    return f"{settings.SITE_URL}/p/{_signer(PREFERENCES).sign(value)}"


def read_preferences(token: str) -> Customer | None:
    """The customer of this link; None for every link that does not work, for whatever reason."""
    number, _, mark = (_unsign(PREFERENCES, token) or "").partition("-")
    if not number.isdecimal():
        return None
    customer = Customer.objects.filter(pk=int(number)).first()
    return customer if customer is not None and _mark(customer) == mark else None


def _mark(customer: Customer) -> str:
    return address_hash(Channel.EMAIL, customer.email)[:16]


def _unsign(purpose: str, token: str) -> str | None:
    if len(token) > 200 or not token.isascii():
        return None
    try:
        return str(_signer(purpose).unsign(token))
    except BadSignature:
        return None
