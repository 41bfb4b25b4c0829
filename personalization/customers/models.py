"""One profile per person we market to, and what that person allows."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from personalization.personal_data import AtErasure, PersonalData


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")


class Customer(models.Model):
    """Standard traits are columns, so that segments and messages find them typed; all others are JSON."""

    personal_data = PersonalData("profile", AtErasure.DELETE, path="pk", ages_by="updated_at")

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

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            models.Index(Lower("email"), name="customer_email_lower"),
            models.Index(fields=["country"], name="customer_country"),
            GinIndex(fields=["traits"], name="customer_traits", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        name = f"{self.first_name} {self.last_name}".strip()
        return name or self.email or self.external_id or _("Visitor %(id)s") % {"id": self.pk}


class IdentifierKind(models.TextChoices):
    USER_ID = "user_id", _("Former customer id")
    ANONYMOUS_ID = "anonymous_id", _("Anonymous id (cookie or device)")


class Identifier(models.Model):
    """A further id by which this customer is known: a cookie, a device, an id from before a merge."""

    personal_data = PersonalData("profile", AtErasure.DELETE)

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="identifiers", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=IdentifierKind)
    value = models.CharField(_("value"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="identifier_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Consent(models.Model):
    """One statement of a customer about one channel and topic. Appended, never edited: the current one is
    marked, and the older ones stay as evidence of what was allowed when."""

    personal_data = PersonalData("consent", AtErasure.DELETE)

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

    def __str__(self) -> str:
        return f"{self.channel}/{self.topic}: {'+' if self.granted else '-'}"


class SuppressionReason(models.TextChoices):
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BOUNCED = "bounced", _("Address does not exist")
    COMPLAINED = "complained", _("Reported as spam")
    MANUAL = "manual", _("Added by staff")


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
