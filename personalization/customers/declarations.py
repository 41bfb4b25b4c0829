"""Traits that were declared: their type and rules; and the values of those that are kept encrypted."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.fields import EncryptedTextField
from personalization.customers import trait_rules as rules
from personalization.personal_data import AtErasure, PersonalData


class ValueType(models.TextChoices):
    TEXT = rules.TEXT, _("Text")
    NUMBER = rules.NUMBER, _("Number")
    WHOLE = rules.WHOLE, _("Whole number")
    YES_NO = rules.YES_NO, _("Yes or no")
    DATE = rules.DATE, _("Date")
    TIME = rules.TIME, _("Date and time")
    LIST = rules.LIST, _("List of texts")


class BadValue(models.TextChoices):
    REFUSE = rules.REFUSE, _("Refuse it, keep everything else")
    KEEP = rules.KEEP, _("Keep it as it came, as an undeclared trait")


class Sensitivity(models.TextChoices):
    ORDINARY = "ordinary", _("Not personal by itself")
    PERSONAL = "personal", _("Personal")
    SENSITIVE = "sensitive", _("Sensitive: health, belief, money and the like")


class TraitDeclaration(models.Model):
    """What a trait may hold, asked on every way in."""

    name = models.CharField(
        _("name"), max_length=200, unique=True,
        validators=[RegexValidator(r"^[^\x00-\x1f]+$", _("No control characters."))],
        help_text=_("Exactly as it comes in: upper and lower case differ."),
    )  # fmt: skip
    value_type = models.CharField(_("type"), max_length=10, choices=ValueType, default=ValueType.TEXT)
    allowed = models.JSONField(
        _("allowed values"), default=list, blank=True,
        help_text=_('A JSON list, for example ["free", "gold"]. Empty: any.'),
    )  # fmt: skip
    minimum = models.FloatField(
        _("minimum"), null=True, blank=True,
        help_text=_("Of a number; of a text its characters, of a list its entries."),
    )  # fmt: skip
    maximum = models.FloatField(_("maximum"), null=True, blank=True)
    on_bad_value = models.CharField(
        _("a value that does not fit"), max_length=10, choices=BadValue, default=BadValue.REFUSE
    )
    description = models.CharField(_("description"), max_length=300, blank=True)
    source = models.CharField(
        _("source"), max_length=100, blank=True,
        help_text=_("Where its values come from: the shop, a form, the CRM."),
    )  # fmt: skip
    sensitivity = models.CharField(
        _("sensitivity"), max_length=10, choices=Sensitivity, default=Sensitivity.PERSONAL,
        help_text=_("Sensitive values are shown only to roles that may see sensitive traits."),
    )  # fmt: skip
    is_encrypted = models.BooleanField(
        _("encrypted"), default=False,
        help_text=_("Kept encrypted. Messages can use it; segments can only ask whether there is a value."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("declared trait")
        verbose_name_plural = _("declared traits")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def rule(self) -> rules.TraitRule:
        return rules.TraitRule(
            self.name, self.value_type, tuple(self.allowed), self.minimum, self.maximum, self.on_bad_value,
            self.is_encrypted,
        )  # fmt: skip


def sensitive_declarations() -> models.QuerySet[TraitDeclaration]:
    """Traits whose values only a role with a permission of its own is shown."""
    sensitive = models.Q(sensitivity=Sensitivity.SENSITIVE) | models.Q(is_encrypted=True)
    return TraitDeclaration.objects.filter(sensitive)


class SealedTrait(models.Model):
    """A value of a trait that is kept encrypted; the profile itself only tells that there is one."""

    personal_data = PersonalData("profile", AtErasure.DELETE)
    follows_merge_by = ("name",)

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="sealed_traits", db_index=False
    )
    name = models.CharField(_("trait"), max_length=200)
    value = EncryptedTextField(_("value"))  # JSON

    class Meta:
        verbose_name = _("encrypted trait")
        verbose_name_plural = _("encrypted traits")
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="sealed_trait_once")]
        indexes = [models.Index(fields=["name", "customer"], name="sealed_trait_of_name")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.name}"
