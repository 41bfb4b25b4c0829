"""What people can be asked about, and what they asked of us."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from personalization.customers.models import Channel, Customer, Wording
from personalization.personal_data import AtErasure, PersonalData
from personalization.privacy.export_models import PersonExport

__all__ = [
    "OptIn",
    "PersonExport",
    "PrivacyRequest",
    "RequestKind",
    "RequestStatus",
    "RetentionRule",
    "Topic",
]


class Topic(models.Model):
    """What messages can be about, as people see it in their preferences. Consent names it by its key."""

    key = models.SlugField(_("key"), max_length=50, unique=True, help_text=_("As campaigns name it."))
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    translations = models.JSONField(
        _("translations"), default=dict, blank=True,
        help_text=_('By language: {"zh-hans": {"name": "…", "description": "…"}}'),
    )  # fmt: skip
    is_public = models.BooleanField(
        _("offered"), default=True, help_text=_("People can say yes to it in their preferences.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name

    def text(self, column: str) -> str:
        """`name` or `description` in the language of now, else as it was entered."""
        by_language: dict[str, Any] = self.translations.get(get_language() or "") or {}
        return str(by_language.get(column) or getattr(self, column))


class OptIn(models.Model):
    """A yes that counts only once the address has confirmed it (double opt-in)."""

    personal_data = PersonalData("consent", AtErasure.DELETE, also={"wording_text": "wording__text"})

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="opt_ins", verbose_name=_("customer"))
    channel = models.CharField(_("channel"), max_length=16, choices=Channel, default=Channel.EMAIL)
    topic = models.CharField(_("topic"), max_length=50)
    source = models.CharField(_("source"), max_length=80)
    origin = models.CharField(_("address of origin"), max_length=64, blank=True)
    wording = models.ForeignKey(
        Wording, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("wording")
    )
    address_hash = models.CharField(max_length=64, editable=False)
    requested_at = models.DateTimeField(_("asked for at"))
    expires_at = models.DateTimeField(_("expires at"))
    mailed_at = models.DateTimeField(_("mailed at"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    confirmed_origin = models.CharField(
        _("address of who confirmed"), max_length=64, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("opt-in")
        verbose_name_plural = _("opt-ins")
        indexes = [
            models.Index(fields=["address_hash", "requested_at"], name="opt_in_address"),
            models.Index(
                fields=["requested_at"], condition=models.Q(mailed_at__isnull=True), name="opt_in_unmailed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.topic}: {self.customer_id}"


class RequestKind(models.TextChoices):
    ACCESS = "access", _("Export")
    ERASURE = "erasure", _("Erasure")


class RequestStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    ATTENTION = "attention", _("Done, something is left to look at")


class PrivacyRequest(models.Model):
    """What a person asked of us, and the proof that it was done. It outlives the person's data, and so holds
    none: who it was can only be asked with the person's own id or address in hand (`subject_hashes`)."""

    # Only an erasure has a certificate, and nobody is erased twice.
    personal_data = PersonalData(
        "requests",
        AtErasure.ANONYMIZE,
        clear={"certificate": None, "certificate_sha256": ""},
        internal=("subject_hashes",),
    )

    kind = models.CharField(_("kind"), max_length=10, choices=RequestKind)
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, related_name="privacy_requests", verbose_name=_("customer")
    )
    subject_hashes = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=RequestStatus, default=RequestStatus.WAITING
    )
    asked_at = models.DateTimeField(_("asked at"))
    asked_by = models.CharField(_("entered by"), max_length=200)
    due_at = models.DateTimeField(_("due at"), help_text=_("One month after it was asked (GDPR article 12)."))
    done_at = models.DateTimeField(_("done at"), null=True)
    certificate = models.JSONField(_("certificate"), null=True)
    certificate_sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        ordering = ["-asked_at", "-id"]
        indexes = [
            GinIndex(fields=["subject_hashes"], name="privacy_request_subject"),
            models.Index(
                fields=["asked_at"], condition=models.Q(status="waiting"), name="privacy_request_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def is_active(self) -> bool:
        return self.status == RequestStatus.WAITING


class RetentionRule(models.Model):
    """How long rows of one kind are kept. Without an active rule: until the person is erased."""

    kind = models.CharField(_("kind of data"), max_length=40, unique=True)
    days = models.PositiveIntegerField(_("kept for days"))
    is_active = models.BooleanField(_("active"), default=False)
    last_run_at = models.DateTimeField(_("last run at"), null=True, editable=False)
    last_count = models.PositiveBigIntegerField(_("rows treated last"), default=0, editable=False)

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        ordering = ["kind"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.days}"
