"""Accounts with providers: kept with their secrets encrypted, checked before they are stored."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.channels import webhook, webpush
from campaigns.errors import InvalidAccount
from campaigns.feedback.whatsapp import verify_token
from campaigns.models import SenderAccount
from campaigns.pacing.rates import Pace, RateError
from campaigns.pacing.spreading import ask_again
from campaigns.pacing.warm_up import WarmUp
from campaigns.pacing.words import sentence_of
from campaigns.transport import breaker, dkim
from campaigns.transport.accounts import breaker_key
from campaigns.transport.http import in_words
from campaigns.transport.mail import default_key
from personalization.access.known_fields import no_such_field
from personalization.access.services import audit


@transaction.atomic
def save_account(
    account: SenderAccount | None,
    *,
    channel: str,
    name: str,
    values: Mapping[str, str],
    position: int = 0,
    is_active: bool = True,
    pace: Mapping[str, Any] | None = None,
    warm_up: Mapping[str, Any] | None = None,
    actor: str,
) -> SenderAccount:
    """Creates or changes an account. A secret that is left empty stays as it was; keys that can be made are.
    `pace` as pacing.rates.Pace, `warm_up` as pacing.warm_up.WarmUp; None leaves them as they are.

    Raises InvalidAccount with every problem; the audit log names the fields, never a secret.
    """
    if channel not in channels.names() or (account is not None and account.channel != channel):
        raise InvalidAccount(errors=[{"pointer": "/channel", "detail": _("There is no such channel.")}])
    kind = channels.get(channel)
    before = account.secret_values if account else {}
    given = _with_keys(channel, {**_cleaned(kind, values)}, before)
    errors = _errors(kind, name, given) + _pace_errors(channel, pace, warm_up)
    if errors:
        raise InvalidAccount(_("Correct the marked fields and try again."), errors=errors)
    row = account or SenderAccount(channel=channel)
    secret = {field.name for field in kind.account_fields if field.is_secret}
    row.name, row.position, row.is_active = name.strip(), position, is_active
    row.options = {key: value for key, value in given.items() if key not in secret}
    row.secrets = _packed({key: value for key, value in given.items() if key in secret and value})
    has_new_speed = _set_speed(row, pace, warm_up)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise InvalidAccount(
            errors=[{"pointer": "/name", "detail": _("There is an account of this name already.")}]
        ) from None
    breaker.succeed(breaker_key(row))
    if has_new_speed:
        ask_again(channel)
    audit(
        actor, "sender_account.saved", f"sender_account:{row.pk}", channel=channel, fields=sorted(given),
        pace=row.pace, warm_up=row.warm_up,
    )  # fmt: skip
    return row


def _set_speed(row: SenderAccount, pace: Mapping[str, Any] | None, warm_up: Mapping[str, Any] | None) -> bool:
    """Whether that changes anything."""
    before = (row.pace, row.warm_up)
    if pace is not None:
        row.pace = Pace.from_json(pace).as_json()
    if warm_up is not None:
        plan = WarmUp.from_json(warm_up)
        row.warm_up = plan.as_json() if plan else {}
    return before != (row.pace, row.warm_up)


@transaction.atomic
def delete_account(account: SenderAccount, *, actor: str) -> None:
    audit(actor, "sender_account.deleted", f"sender_account:{account.pk}", channel=account.channel)
    account.delete()


def _cleaned(kind: channels.Channel, values: Mapping[str, Any]) -> dict[str, str]:
    known = {field.name: field for field in kind.account_fields}
    unknown = sorted(set(values) - known.keys())
    if unknown:
        raise InvalidAccount(
            errors=[{"pointer": f"/values/{n}", "detail": no_such_field(n, list(known))} for n in unknown]
        )
    return {
        name: str(values.get(name, "") or "").strip().replace("\0", "") or field.default
        for name, field in known.items()
    }


def _with_keys(channel: str, given: dict[str, str], before: Mapping[str, str]) -> dict[str, str]:
    found = {name: value or before.get(name, "") for name, value in given.items()}
    if channel == "webpush" and not found["private_key"]:
        found["private_key"] = webpush.new_private_key()
    if channel == "webhook" and not found["secret"]:
        found["secret"] = webhook.new_secret()
    if channel == "email" and found["dkim_domain"] and not found["dkim_key"]:
        found["dkim_key"] = dkim.new_key()
        found["dkim_selector"] = found["dkim_selector"] or "bespoke"
    if channel == "email" and not found["dkim_domain"]:
        found["dkim_key"] = found["dkim_selector"] = ""
    return found


def _errors(kind: channels.Channel, name: str, given: Mapping[str, str]) -> list[dict[str, str]]:
    errors = []
    if not 0 < len(name.strip()) <= 100:
        errors.append({"pointer": "/name", "detail": _("Give the account a name of 1 to 100 characters.")})
    for field in kind.account_fields:
        value = given[field.name]
        pointer = f"/values/{field.name}"
        if field.is_required and not value:
            errors.append({"pointer": pointer, "detail": _("%(field)s is missing.") % {"field": field.label}})
        if len(value) > field.max_length:
            errors.append({"pointer": pointer, "detail": _("This is too long.")})
    if not errors:
        errors = [
            {"pointer": f"/values/{field}", "detail": detail} for field, detail in kind.check_account(given)
        ]
    return errors


def _pace_errors(
    channel: str, pace: Mapping[str, Any] | None, warm_up: Mapping[str, Any] | None
) -> list[dict[str, str]]:
    errors = []
    if channel != "email" and (warm_up or {}).get("groups"):
        detail = _("Only e-mail goes to domains.")
        errors.append({"pointer": "/warm_up/groups", "detail": detail})
    for name, read, data in (("pace", Pace.from_json, pace), ("warm_up", WarmUp.from_json, warm_up)):
        try:
            read(data or {})
        except RateError as error:
            errors.append({"pointer": f"/{name}/{error.pointer}", "detail": sentence_of(error)})
    return errors


def _packed(secrets: Mapping[str, str]) -> str:
    return json.dumps(secrets) if secrets else ""


def facts_of(account: SenderAccount) -> list[tuple[str, str]]:
    """What staff need of an account beyond its form: records for the DNS, the public key, its health."""
    facts = []
    values = account.values
    if account.channel == "email" and values.get("dkim_key"):
        signer = dkim.signer(values["dkim_domain"], values["dkim_selector"], values["dkim_key"])
        where = f"{signer.selector}._domainkey.{signer.domain}"
        facts.append((_("TXT record for %(name)s") % {"name": where}, signer.record))
    if account.channel == "webpush":
        facts.append((_("Public key"), webpush.public_key(values["private_key"])))
    if account.channel == "whatsapp" and account.pk:
        facts.append((_("Callback URL"), f"{settings.SITE_URL}/hooks/whatsapp/{account.pk}"))
        facts.append((_("Verify token"), verify_token(account)))
    return facts


def trouble_of(channel: str) -> str:
    """A sentence while every account of the channel is left alone by its breaker; empty otherwise."""
    rows = list(SenderAccount.objects.filter(channel=channel, is_active=True))
    keys = [breaker_key(row) for row in rows]
    if not rows:
        if channels.get(channel).needs_account:
            return _("There is no account with a provider for this channel. Set one up under “Senders”.")
        keys = [default_key()]
    states = [breaker.state(key) for key in keys]
    if any(not state.until for state in states):
        return ""
    soonest = min(states, key=lambda state: state.until)
    return _("Waiting: no provider of this channel answers (%(why)s). It is tried again by itself.") % {
        "why": in_words(soonest.reason)
    }
