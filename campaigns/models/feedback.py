"""What mail servers and providers reported about messages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Delivery
from personalization.customers.models import Channel, Customer
from personalization.personal_data import AtErasure, PersonalData


class BounceKind(models.TextChoices):
    HARD = "hard", _("The address does not exist")
    SOFT = "soft", _("Not now")
    BLOCK = "block", _("The message was refused")


class Bounce(models.Model):
    """One report that one message did not arrive. `key` makes the same report count once."""

    follows_merge_by = ()
    personal_data = PersonalData(
        "messages", AtErasure.ANONYMIZE, clear={"detail": ""}, neutral=("key", "status"), ages_by="at",
        internal=("key", "delivery"),
    )  # fmt: skip

    key = models.CharField(max_length=100, unique=True, editable=False)
    # A constraint would lock a delivery that a worker is settling; deliveries go with their run, in Django.
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, db_constraint=False, related_name="bounces", verbose_name=_("delivery")
    )
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, related_name="bounces", verbose_name=_("customer")
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    kind = models.CharField(_("kind"), max_length=8, choices=BounceKind)
    status = models.CharField(_("status"), max_length=12, blank=True, help_text="RFC 3463, for example 5.1.1")
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    suppressed = models.BooleanField(_("suppressed"), default=False)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("bounce")
        verbose_name_plural = _("bounces")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.kind} {self.status}"
