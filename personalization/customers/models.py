"""One profile per person we market to, and what that person allows."""

from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from personalization.customers.declarations import SealedTrait, TraitDeclaration
from personalization.customers.identity_models import (
    Identifier,
    IdentifierClaim,
    IdentifierKind,
    IdentityRule,
    Merge,
    MergeReason,
)
from personalization.customers.names import full_name
from personalization.customers.trait_history import TraitChange
from personalization.customers.view_models import SavedView
from personalization.personal_data import AtErasure, PersonalData

__all__ = [
    "Channel", "Consent", "Customer", "Identifier", "IdentifierClaim", "IdentifierKind", "IdentityRule",
    "Merge", "MergeReason", "SavedView", "SealedTrait", "Suppression", "SuppressionReason", "TraitChange",
    "TraitDeclaration",
]  # fmt: skip


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message (SMS)")
    WHATSAPP = "whatsapp", _("WhatsApp")
    WEB_PUSH = "webpush", _("Push in the browser")
    MOBILE_PUSH = "mobilepush", _("Push in the app")
    WEBHOOK = "webhook", _("Webhook")


class Customer(models.Model):
    """Standard traits are columns, so that segments and messages find them typed; all others are JSON."""

    personal_data = PersonalData("profile", AtErasure.DELETE, path="pk", ages_by="updated_at")

    is_masked = False  # set on rows that are shown to staff who may not see personal data (see reading)

    external_id = models.CharField(
        _("customer id"), max_length=200, unique=True, null=True, blank=True,
        help_text=_("The id in your own shop or CRM (userId of the Segment spec). Empty for visitors."),
    )  # fmt: skip
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    language = models.CharField(
        _("language"), max_length=16, blank=True, help_text=_("For example en or zh.")
    )
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("ISO 3166, two letters."))
    city = models.CharField(_("city"), max_length=100, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    traits = models.JSONField(_("other traits"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="hollows",
        verbose_name=_("merged into"),
        help_text=_("Set: nothing but the shell that ledgers refer to; the person is that customer."),
    )  # fmt: skip
    erased_at = models.DateTimeField(
        _("erased at"), null=True, editable=False,
        help_text=_("Set: nobody any more, only what experiments count; nothing leads back to the person."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("view_personal_data", _("Can see names, addresses and traits")),
            ("view_sensitive_traits", _("Can see sensitive and encrypted traits")),
        ]
        indexes = [
            # By their beginning and as a whole, whatever the database's collation (see `search`).
            *(
                models.Index(OpClass(Lower(name), "text_pattern_ops"), name=f"customer_{name}_begins")
                for name in ("email", "first_name", "last_name")
            ),
            models.Index(fields=["phone"], name="customer_phone_begins", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["country"], name="customer_country"),
            # Memberships of segments are kept up to date by what changed.
            models.Index(fields=["updated_at"], name="customer_updated"),
            GinIndex(fields=["traits"], name="customer_traits", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        if self.is_masked:
            return _("Customer %(id)s") % {"id": self.pk}
        if self.erased_at:
            return str(_("Erased customer"))
        name = full_name(self.first_name, self.last_name)
        return name or self.email or self.external_id or _("Visitor %(id)s") % {"id": self.pk}


# Without the empty rows that merges and erasures leave behind for what counted them.
SOMEBODY = models.Q(merged_into=None, erased_at=None)


class Wording(models.Model):
    """The exact words somebody agreed to. Kept once however many agree; never changed."""

    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    text = models.TextField(_("wording"))
    created_at = models.DateTimeField(_("first used at"), auto_now_add=True)

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")

    def __str__(self) -> str:
        return self.text[:60]


class Consent(models.Model):
    """One statement of a customer about one channel and topic. Appended, never edited: the current one is
    marked, and the older ones stay as evidence of what was allowed when."""

    personal_data = PersonalData("consent", AtErasure.DELETE, also={"wording_text": "wording__text"})

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="consents", verbose_name=_("customer")
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    topic = models.CharField(_("topic"), max_length=50, default="marketing")
    granted = models.BooleanField(_("granted"))
    source = models.CharField(
        _("source"), max_length=100, help_text=_("Where it was given: form, import, link.")
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    wording = models.ForeignKey(
        Wording, models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name=_("wording"),
    )  # fmt: skip
    origin = models.CharField(
        _("address of origin"), max_length=64, blank=True, db_default="",
        help_text=_("Shortened or hashed, as the setting ORIGIN_POLICY says."),
    )  # fmt: skip
    requested_at = models.DateTimeField(
        _("asked for at"), null=True, blank=True,
        help_text=_("Double opt-in: when the form was sent; it was recorded when the link was confirmed."),
    )  # fmt: skip
    is_current = models.BooleanField(_("current"), default=True, editable=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "channel", "topic"],
                condition=models.Q(is_current=True),
                name="consent_one_current",
            )
        ]
        indexes = [BrinIndex(fields=["recorded_at"], name="consent_recorded", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.channel}/{self.topic}: {'+' if self.granted else '-'}"


class SuppressionReason(models.TextChoices):
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BOUNCED = "bounced", _("Address does not exist")
    COMPLAINED = "complained", _("Reported as spam")
    MANUAL = "manual", _("Added by staff")
    ERASED = "erased", _("Customer erased")


class Suppression(models.Model):
    """An address that is never written to again. Kept as a keyed hash, so that it outlives the customer's
    erasure without being personal data in clear."""

    personal_data = PersonalData("consent", AtErasure.ANONYMIZE)

    channel = models.CharField(_("channel"), max_length=16, choices=Channel)
    address_hash = models.CharField(_("address (hashed)"), max_length=64, editable=False)
    reason = models.CharField(_("reason"), max_length=16, choices=SuppressionReason)
    customer = models.ForeignKey(
        Customer,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="suppressions",
        verbose_name=_("customer"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [models.UniqueConstraint(fields=["channel", "address_hash"], name="suppression_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.address_hash[:8]}… {self.reason}"
