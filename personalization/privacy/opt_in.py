"""Double opt-in: a form's yes becomes a consent when the owner of the address confirms it.

Nothing here tells a caller whether an address is known, and a form cannot be used to flood a mailbox.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from personalization.customers import selectors as customers
from personalization.customers.addresses import address_hash
from personalization.customers.errors import InvalidConsent, UnknownCustomer
from personalization.customers.models import Channel, Customer
from personalization.customers.origins import keep_origin
from personalization.customers.services import Proof, check_topic, keep_wording, record_consent
from personalization.privacy import links
from personalization.privacy.models import OptIn
from personalization.privacy.topics import page_language, topic_name

log = structlog.get_logger(__name__)
LASTS = timedelta(days=3)
# One form sent twice is one mail; a mailbox gets at most so many a day, whoever fills in the forms.
SAME_REQUEST, MAILS_A_DAY = timedelta(minutes=10), 5
MAX_ATTEMPTS = 5


@transaction.atomic
def request_opt_in(customer_id: int, *, topic: str, source: str, proof: Proof) -> OptIn:
    """Notes a yes to e-mail about `topic` that waits for its confirmation; the mail goes out by a task.

    Asked again within ten minutes it answers the same row. Raises UnknownCustomer, InvalidConsent.
    """
    check_topic(channel=Channel.EMAIL, topic=topic)
    customer = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer_id).first()
    if customer is None:
        raise UnknownCustomer
    if not customer.email:
        raise InvalidConsent(_("This customer has no e-mail address to confirm with."))
    if customers.suppressed_ids([customer_id], channel=Channel.EMAIL):
        raise InvalidConsent(_("This address is on the suppression list and is not written to."))
    now, hashed = timezone.now(), address_hash(Channel.EMAIL, customer.email)
    recent = OptIn.objects.filter(address_hash=hashed, requested_at__gt=now - timedelta(days=1))
    same = recent.filter(customer_id=customer_id, topic=topic, confirmed_at=None).order_by("-pk").first()
    if same is not None and same.requested_at > now - SAME_REQUEST:
        return same
    if recent.count() >= MAILS_A_DAY:
        raise InvalidConsent(_("This address was asked to confirm often enough today. Try again tomorrow."))
    return OptIn.objects.create(
        customer=customer, topic=topic, source=source[:80], origin=keep_origin(proof.origin_address),
        wording=keep_wording(proof.wording), address_hash=hashed, requested_at=now, expires_at=now + LASTS,
    )  # fmt: skip


def mail_waiting(limit: int = 200) -> int:
    """Sends what waits, each row claimed first so that two workers never mail it twice. The number sent."""
    sent = 0
    waiting = OptIn.objects.filter(
        mailed_at=None, attempts__lt=MAX_ATTEMPTS, expires_at__gt=timezone.now()
    ).order_by("requested_at")
    for opt_in in waiting.select_related("customer", "wording")[:limit]:
        now = timezone.now()
        if OptIn.objects.filter(pk=opt_in.pk, mailed_at=None).update(
            mailed_at=now, attempts=F("attempts") + 1
        ):
            sent += _mail(opt_in)
    return sent


def _mail(opt_in: OptIn) -> bool:
    address = opt_in.customer.email
    if address_hash(Channel.EMAIL, address) != opt_in.address_hash:
        return False
    # Who complained or left since the form was sent is not written to, not even to be asked.
    if customers.suppressed_ids([opt_in.customer_id], channel=Channel.EMAIL):
        return False
    with translation.override(page_language(opt_in.customer.language)):
        context = {
            "url": links.confirm_url(opt_in.pk), "topic": topic_name(opt_in.topic),
            "wording": opt_in.wording, "days": LASTS.days,
        }  # fmt: skip
        message = EmailMultiAlternatives(
            _("Please confirm your subscription"),
            render_to_string("privacy/confirm_mail.txt", context),
            settings.DEFAULT_SENDER,
            [address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(render_to_string("privacy/confirm_mail.html", context), "text/html")
    try:
        message.send()
    except (OSError, ValueError) as error:  # smtplib's errors are OSErrors; a bad header is a ValueError
        OptIn.objects.filter(pk=opt_in.pk).update(mailed_at=None)
        log.warning("confirmation_not_mailed", opt_in=opt_in.pk, error=type(error).__name__)
        return False
    return True


def find_opt_in(token: str) -> OptIn | None:
    """What this link confirms. None when it never worked or no longer does: expired, or another address."""
    number = links.read_confirm(token)
    if number is None:
        return None
    opt_in = OptIn.objects.select_related("customer", "wording").filter(pk=number).first()
    if opt_in is None or (opt_in.confirmed_at is None and opt_in.expires_at < timezone.now()):
        return None
    return opt_in if address_hash(Channel.EMAIL, opt_in.customer.email) == opt_in.address_hash else None


def stands(opt_in: OptIn) -> bool:
    """Whether the customer's present statement is a yes: there may have been a no since it was confirmed."""
    asked = [opt_in.customer_id]
    return bool(customers.consented_ids(asked, channel=opt_in.channel, topic=opt_in.topic))


@transaction.atomic
def confirm(opt_in: OptIn, *, origin_address: str = "") -> None:
    """Makes it a consent, until it expires. A second time changes nothing, also when the customer said no in
    between. `origin_address`: of the click, kept beside that of the request."""
    now = timezone.now()
    # Asked again in the very change: it may have expired since it was found.
    open_ones = OptIn.objects.filter(pk=opt_in.pk, confirmed_at=None, expires_at__gte=now)
    if not open_ones.update(confirmed_at=now, confirmed_origin=keep_origin(origin_address)):
        return
    record_consent(
        opt_in.customer_id, channel=opt_in.channel, topic=opt_in.topic, granted=True,
        source=f"double opt-in: {opt_in.source}",
        proof=Proof(
            wording=opt_in.wording.text if opt_in.wording else "",
            origin_address=opt_in.origin,
            requested_at=opt_in.requested_at,
        ),
    )  # fmt: skip
