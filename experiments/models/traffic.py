"""Who may take part: layers share customers among experiments, holdouts keep some out of everything."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData


class Layer(models.Model):
    """Experiments of one layer divide its customers: nobody takes part in two of them at once."""

    key = models.SlugField(
        _("key"), max_length=100, unique=True, help_text=_("Seeds the hash: never changed.")
    )
    name = models.CharField(_("name"), max_length=200)
    hash_version = models.PositiveSmallIntegerField(
        _("hash version"),
        default=2,
        choices=[(2, "2"), (1, _("1 (a GrowthBook namespace, only for what was begun elsewhere)"))],
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("layer")
        verbose_name_plural = _("layers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Holdout(models.Model):
    """A share of all customers that gets nothing, to measure what everything together earned."""

    key = models.SlugField(
        _("key"), max_length=100, unique=True, help_text=_("Seeds the hash: never changed.")
    )
    name = models.CharField(_("name"), max_length=200)
    is_global = models.BooleanField(
        _("global"),
        default=True,
        help_text=_(
            "Kept out of every campaign and every experiment. Otherwise only of the campaigns that name it."
        ),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("holdout")
        verbose_name_plural = _("holdouts")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class HoldoutVersion(models.Model):
    """How the members were drawn from `started_at` on. Only a new draw has a new seed."""

    holdout = models.ForeignKey(
        Holdout, models.CASCADE, related_name="versions", verbose_name=_("holdout"), db_index=False
    )
    number = models.PositiveIntegerField(_("version"))
    share = models.FloatField(_("share"), validators=[MinValueValidator(0.0001), MaxValueValidator(0.5)])
    seed = models.CharField(_("seed"), max_length=150)
    started_at = models.DateTimeField(_("since"))
    created_by = models.CharField(_("created by"), max_length=200)

    class Meta:
        verbose_name = _("holdout version")
        verbose_name_plural = _("holdout versions")
        ordering = ["holdout", "-number"]
        constraints = [models.UniqueConstraint(fields=["holdout", "number"], name="holdout_version_once")]

    def __str__(self) -> str:
        return f"{self.holdout} v{self.number}"


class HoldoutMember(models.Model):
    """One stay of a customer in a holdout. Kept when it ends: who was held out when can always be told."""

    # At a merge the customer's own row stays, else the visitor's follows (see customers.merging).
    follows_merge_by = ("holdout_id",)
    personal_data = PersonalData("experiments", AtErasure.ANONYMIZE, also={"holdout": "holdout__name"})

    holdout = models.ForeignKey(Holdout, models.CASCADE, related_name="members", db_index=False)
    version = models.ForeignKey(HoldoutVersion, models.CASCADE, related_name="members", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="holdout_stays")
    entered_at = models.DateTimeField(_("entered at"))
    left_at = models.DateTimeField(_("left at"), null=True)

    class Meta:
        verbose_name = _("holdout member")
        verbose_name_plural = _("holdout members")
        constraints = [
            models.UniqueConstraint(
                fields=["holdout", "customer"],
                condition=models.Q(left_at__isnull=True),
                name="holdout_member_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.holdout_id}: {self.customer_id}"


class ClientKey(models.Model):
    """Lets apps and websites read running experiments and nothing else. It is no secret: every visitor of
    the website can see it."""

    name = models.CharField(
        _("name"), max_length=100, help_text=_("Where it is used, for example the website.")
    )
    key = models.CharField(_("key"), max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    class Meta:
        verbose_name = _("client key")
        verbose_name_plural = _("client keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
