"""Accounts with providers, and the browsers that customers let us send notifications to."""

import hashlib
import json
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.fields import EncryptedTextField
from personalization.customers.models import Channel, Customer
from personalization.personal_data import AtErasure, PersonalData


class SenderAccount(models.Model):
    """An account with a provider of one channel. Several of one channel stand in for each other, by position.

    Options may be seen by staff; secrets are encrypted and never shown again.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    options = models.JSONField(_("options"), default=dict, blank=True)
    secrets = EncryptedTextField(_("secrets"), blank=True, editable=False)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("The lowest sends; the next stands in when it does not answer.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    pace = models.JSONField(
        _("rates"), default=dict, db_default=models.Value({}, models.JSONField()), blank=True,
        help_text=_("Messages a second at most: per_second, per_domain, domains."),
    )  # fmt: skip
    warm_up = models.JSONField(
        _("warm-up"), default=dict, db_default=models.Value({}, models.JSONField()), blank=True,
        help_text=_("Messages on each of the first days: volumes, starts_on, zone, hour, groups."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("sender account")
        verbose_name_plural = _("sender accounts")
        ordering = ["channel", "position", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def values(self) -> dict[str, str]:
        """Options and secrets together. Raises encryption.Undecipherable."""
        return {**self.options, **self.secret_values}

    @property
    def secret_values(self) -> dict[str, str]:
        found: Any = json.loads(self.secrets) if self.secrets else {}
        return {str(key): str(value) for key, value in found.items()}


class WarmUpDay(models.Model):
    """How many messages of an account that warms up have a place on one day of its own calendar."""

    account = models.ForeignKey(
        SenderAccount, models.CASCADE, related_name="warm_up_days", verbose_name=_("sender account")
    )
    day = models.DateField(_("day"))
    taken = models.PositiveIntegerField(_("messages"), default=0)
    # Of groups of recipient domains, which do not count under `taken`.
    by_group = models.JSONField(
        _("by group of domains"), default=dict, db_default=models.Value({}, models.JSONField())
    )

    class Meta:
        verbose_name = _("day of a warm-up")
        verbose_name_plural = _("days of warm-ups")
        ordering = ["account", "day"]
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="warm_up_day_once")]

    def __str__(self) -> str:
        return f"{self.account_id}, {self.day}: {self.taken}"


class PushSubscription(models.Model):
    """One browser of a customer: where its push service is, and the keys that only it can read with."""

    personal_data = PersonalData("profile", AtErasure.DELETE, internal=("p256dh", "auth", "endpoint_hash"))

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="push_subscriptions", verbose_name=_("customer")
    )
    endpoint = models.CharField(_("endpoint"), max_length=2000)
    endpoint_hash = models.CharField(max_length=64, unique=True, editable=False)
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=60)
    device = models.CharField(_("device"), max_length=16, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen at"))

    class Meta:
        verbose_name = _("push subscription")
        verbose_name_plural = _("push subscriptions")
        indexes = [models.Index(fields=["customer", "-seen_at"], name="push_customer_seen")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.device}"

    @staticmethod
    def hash_of(endpoint: str) -> str:
        return hashlib.sha256(endpoint.encode()).hexdigest()
