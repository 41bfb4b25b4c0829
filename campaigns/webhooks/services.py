"""Writes of endpoints and their log."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.channels.webhook import new_secret
from campaigns.errors import InvalidWebhook
from campaigns.models import Telling, TellingStatus, WebhookEndpoint
from campaigns.transport import breaker
from campaigns.webhooks.telling import breaker_key
from personalization.access.outbound import ForbiddenAddress, check_url
from personalization.access.services import audit

OLD_SECRET = timedelta(days=1)


@transaction.atomic
def save_endpoint(
    endpoint: WebhookEndpoint | None, *, name: str, url: str, events: Sequence[str] = (),
    is_active: bool = True, actor: str,
) -> WebhookEndpoint:  # fmt: skip
    """Creates an endpoint with a new secret, or changes one. Raises InvalidWebhook with every problem."""
    errors = []
    if not 0 < len(name.strip()) <= 100:
        errors.append({"pointer": "/name", "detail": _("Give it a name of 1 to 100 characters.")})
    try:
        check_url(url)
    except ForbiddenAddress as error:
        text = _("This address cannot be called: %(why)s.") % {"why": error.said}
        errors.append({"pointer": "/url", "detail": text})
    named = list(dict.fromkeys(event.strip() for event in events if event.strip()))
    if any(len(event) > 200 or "\0" in event for event in named) or len(named) > 200:
        errors.append({"pointer": "/events", "detail": _("An event's name has at most 200 characters.")})
    if errors:
        raise InvalidWebhook(_("Correct the marked fields and try again."), errors=errors)
    row = endpoint or WebhookEndpoint(secret=new_secret(), read_until=timezone.now())
    row.name, row.url, row.events, row.is_active = name.strip(), url, named, is_active
    if is_active:
        row.problem = ""
    row.save()
    breaker.succeed(breaker_key(row))
    audit(actor, "webhook.saved", f"webhook:{row.pk}", events=len(named), active=is_active)
    return row


@transaction.atomic
def rotate_secret(endpoint: WebhookEndpoint, *, actor: str) -> str:
    """A new secret, told once; the old one signs along for a day."""
    row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    row.old_secret, row.old_secret_until = row.secret, timezone.now() + OLD_SECRET
    row.secret = new_secret()
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    audit(actor, "webhook.secret_rotated", f"webhook:{row.pk}")
    return row.secret


@transaction.atomic
def delete_endpoint(endpoint: WebhookEndpoint, *, actor: str) -> None:
    audit(actor, "webhook.deleted", f"webhook:{endpoint.pk}")
    endpoint.delete()


def tell_again(endpoint: WebhookEndpoint, *, telling: int | None = None, actor: str) -> int:
    """Puts one call, or all failed ones, back in line under the same id; how many. They are tried at
    once, also while the receiver would be left alone: whoever asks for it knows better."""
    rows = Telling.objects.filter(endpoint=endpoint)
    rows = rows.filter(pk=telling) if telling is not None else rows.filter(status=TellingStatus.FAILED)
    count = rows.update(status=TellingStatus.WAITING, attempts=0, due_at=timezone.now())
    breaker.succeed(breaker_key(endpoint))
    audit(actor, "webhook.told_again", f"webhook:{endpoint.pk}", calls=count)
    return count
