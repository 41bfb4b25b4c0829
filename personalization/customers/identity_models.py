"""By which ids a customer is known, which of them may join two profiles, and every join that was made."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.personal_data import AtErasure, PersonalData


class IdentifierKind(models.TextChoices):
    USER_ID = "user_id", _("Former customer id")
    ANONYMOUS_ID = "anonymous_id", _("Anonymous id (cookie or device)")
    EMAIL = "email", _("Former e-mail")
    PHONE = "phone", _("Former phone")
    DEVICE = "device", _("Device")
    PUSH_TOKEN = "push_token", _("Push token")


class Identifier(models.Model):
    """A further id by which this customer is known: a cookie, a device, an id from before a merge.

    The present e-mail and phone stand on the customer itself.
    """

    personal_data = PersonalData("profile", AtErasure.DELETE)

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="identifiers", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=IdentifierKind)
    value = models.CharField(_("value"), max_length=500)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    shared_at = models.DateTimeField(
        _("shared since"), null=True, editable=False,
        help_text=_("Several customers identified themselves with it: it joins nobody any more."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="identifier_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class IdentifierClaim(models.Model):
    """Another customer than its own identified itself with this id: the evidence that an id is shared."""

    personal_data = PersonalData("profile", AtErasure.DELETE)
    identifier = models.ForeignKey(Identifier, models.CASCADE, related_name="claims")
    customer = models.ForeignKey("customers.Customer", models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    # At a merge all claims of a profile follow (see customers.merging).
    follows_merge_by = ("identifier_id",)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["identifier", "customer"], name="claim_once")]

    def __str__(self) -> str:
        return f"{self.identifier_id} ← {self.customer_id}"


class IdentityRule(models.Model):
    """What an id of one kind may do. A kind without a row follows `identity_rules.DEFAULTS`."""

    kind = models.CharField(_("kind"), max_length=16, choices=IdentifierKind, primary_key=True)
    joins = models.BooleanField(
        _("joins profiles"),
        help_text=_("Two profiles that share it are one person, unless both have customer ids of their own."),
    )
    most_customers = models.PositiveSmallIntegerField(
        _("customers it may belong to"), default=1,
        help_text=_("With more customers it counts as shared (a family's tablet, a kiosk) and joins nobody."),
    )  # fmt: skip
    most_joins = models.PositiveSmallIntegerField(
        _("profiles it may bring to one customer"), default=100,
        help_text=_("A customer who took in so many profiles by ids of this kind takes in no more."),
    )  # fmt: skip
    moves = models.BooleanField(
        _("goes to the last user"), default=False,
        help_text=_("On: it belongs to whoever used it last. Off: it stays with the first."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("identity rule")
        verbose_name_plural = _("identity rules")
        ordering = ["kind"]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class MergeReason(models.TextChoices):
    ANONYMOUS_ID = "anonymous_id", _("Identified with the same anonymous id")
    EMAIL = "email", _("Same e-mail")
    PHONE = "phone", _("Same phone")
    DEVICE = "device", _("Same device")
    PUSH_TOKEN = "push_token", _("Same push token")
    ALIAS = "alias", _("Said by an alias call")
    STAFF = "staff", _("Decided by staff or the API")


class Merge(models.Model):
    """One profile was taken into another. `record` holds all that is needed to take it back.

    Goes with the survivor: an erasure of the customer erases it too.
    """

    personal_data = PersonalData("profile", AtErasure.DELETE, path="survivor")

    survivor = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="merges", verbose_name=_("customer")
    )
    source_id = models.BigIntegerField(_("merged profile"), db_index=True)
    reason = models.CharField(_("reason"), max_length=16, choices=MergeReason)
    actor = models.CharField(_("by"), max_length=200)
    note = models.CharField(_("note"), max_length=300, blank=True)
    merged_at = models.DateTimeField(_("merged at"))
    record = models.JSONField(default=dict, editable=False)
    within = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="+",
        help_text="the later merge that took the survivor itself into another customer",
    )  # fmt: skip
    undone_at = models.DateTimeField(_("undone at"), null=True, editable=False)
    undone_by = models.CharField(_("undone by"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-merged_at", "-id"]
        indexes = [models.Index(fields=["survivor", "-merged_at"], name="merge_survivor_at")]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.survivor_id}"
