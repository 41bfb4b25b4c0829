"""Where events are told to, and what became of each telling."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.fields import EncryptedTextField
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData


class WebhookEndpoint(models.Model):
    """An address of somebody's program. Its secret signs; once changed, the old one signs along for a day."""

    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=1000)
    events = ArrayField(
        models.CharField(max_length=200), verbose_name=_("events"), default=list, blank=True,
        help_text=_("Empty: all events."),
    )  # fmt: skip
    secret = EncryptedTextField(_("secret"), editable=False)
    old_secret = EncryptedTextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True, editable=False)
    read_until = models.DateTimeField(editable=False, help_text="events received before are in the log")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class TellingStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Telling(models.Model):
    """One event for one endpoint. Holds no content: that is read from the event when it is told, so what was
    erased is not told any more. No database constraints: they would cost more than the row."""

    personal_data = PersonalData("events", AtErasure.DELETE, ages_by="created_at", internal=("message_key",))

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="tellings")
    customer = models.ForeignKey(
        Customer, models.CASCADE, db_constraint=False, related_name="+", verbose_name=_("customer")
    )
    message_key = models.UUIDField(editable=False)
    event = models.CharField(_("event"), max_length=200)
    status = models.CharField(_("status"), max_length=8, choices=TellingStatus, default=TellingStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"))
    told_at = models.DateTimeField(_("told at"), null=True)

    class Meta:
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook calls")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "customer", "message_key"], name="telling_once")
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"], condition=models.Q(status="waiting"), name="telling_due"
            ),
            models.Index(fields=["endpoint", "-created_at"], name="telling_log"),
            # For the figures of operators: the told ones are nearly all.
            models.Index(
                fields=["status"], condition=models.Q(status__in=["waiting", "failed"]), name="telling_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.status}"
