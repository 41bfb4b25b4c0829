"""Who was assigned to what, and with which chance."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func
from django.utils.translation import gettext_lazy as _

from experiments.models.traffic import Layer
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData
from personalization.segments.models import SegmentVersion


class Origin(models.TextChoices):
    LAUNCH = "launch", _("Made by a launch")
    API = "api", _("Made through the API")


class Allocation(models.TextChoices):
    """How the variants are shared out. Where it is not fixed, groups are no equals: results are weighted by
    the chances."""

    FIXED = "fixed", _("Fixed shares")
    LEARNING = "learning", _("Learns while sending")
    PERSONAL = "personal", _("Personal, for each customer")


class Experiment(models.Model):
    key = models.SlugField(
        _("key"), max_length=100, unique=True, help_text=_("Seeds the hash: never changed.")
    )
    name = models.CharField(_("name"), max_length=200)
    coverage = models.FloatField(
        _("coverage"), default=1.0, help_text=_("Share of customers taken in, 0 to 1.")
    )
    hash_version = models.PositiveSmallIntegerField(_("hash version"), default=2, editable=False)
    origin = models.CharField(
        _("origin"), max_length=8, choices=Origin, default=Origin.LAUNCH, editable=False
    )
    allocation = models.CharField(
        _("shared out"), max_length=8, choices=Allocation, default=Allocation.FIXED, editable=False
    )
    is_served = models.BooleanField(
        _("served to clients"),
        default=False,
        help_text=_("Apps and websites that have a client key can read it."),
    )
    segment_version = models.ForeignKey(
        SegmentVersion,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("segment"),
        help_text=_("Only its members take part, by the definition as it was when the experiment was made."),
    )
    layer = models.ForeignKey(
        Layer, models.PROTECT, null=True, related_name="experiments", verbose_name=_("layer")
    )
    # Four places, like the hash: what the database compares is what the hash decides.
    layer_start = models.DecimalField(_("from share of the layer"), max_digits=5, decimal_places=4, null=True)
    layer_end = models.DecimalField(_("to share of the layer"), max_digits=5, decimal_places=4, null=True)
    shipped = models.ForeignKey(
        "Variant",
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("shipped variant"),
        help_text=_("What clients get after the end."),
    )
    shipped_share = models.FloatField(_("shipped to the share"), default=1.0)
    within = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, editable=False, related_name="parts",
        verbose_name=_("part of"),
        help_text=_("Tried inside of this one's messages, whose opens and clicks count for it."),
    )  # fmt: skip
    wishes = models.JSONField(
        _("wishes for the plan"), default=dict, blank=True, editable=False,
        help_text=_("What is left out is chosen well; fixed at the start."),
    )  # fmt: skip
    exposures_read_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        ordering = ["-created_at"]
        constraints = [
            # The whole part is the layer's number: one range type compares layer and share at once, without
            # an extension.
            ExclusionConstraint(
                name="layer_ranges_apart",
                expressions=[
                    (
                        Func(
                            F("layer_id") + F("layer_start"),
                            F("layer_id") + F("layer_end"),
                            function="numrange",
                        ),
                        RangeOperators.OVERLAPS,
                    )
                ],
                condition=models.Q(layer__isnull=False, ended_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def events_key(self) -> str:
        """Under which key events of our messages say that they belong to it."""
        return self.within.key if self.within is not None else self.key


class Variant(models.Model):
    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="variants", verbose_name=_("experiment")
    )
    key = models.SlugField(_("key"), max_length=50)
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveSmallIntegerField(_("position"))
    weight = models.FloatField(_("weight"), help_text=_("Share of the experiment, all variants add up to 1."))
    is_control = models.BooleanField(_("control"), default=False)
    value = models.JSONField(
        _("value"), null=True, help_text=_("What clients are given; empty: the variant's key.")
    )
    forced_ids = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("always for"),
        default=list,
        blank=True,
        help_text=_(
            "Ids that always see this variant, to look at it. They are not counted, and clients can read"
            " them: use test accounts only."
        ),
    )

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["experiment", "position"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "key"], name="variant_key_once"),
            models.UniqueConstraint(fields=["experiment", "position"], name="variant_position_once"),
            models.UniqueConstraint(
                fields=["experiment"], condition=models.Q(is_control=True), name="variant_one_control"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.name}"


class Assignment(models.Model):
    """Decided by hash, kept for ever: nobody is moved by a later change of weights."""

    # At a merge the customer's own row stays, else the visitor's follows (see customers.merging).
    follows_merge_by = ("experiment_id",)
    personal_data = PersonalData(
        "experiments",
        AtErasure.ANONYMIZE,
        also={"experiment": "experiment__name", "variant": "variant__name"},
    )

    # The unique constraint below starts with the experiment: no index of its own. Experiment and variant
    # without database constraints: neither is deleted beneath its assignments (CASCADE, PROTECT in Django),
    # and a launch would check a million times that the same two rows exist.
    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="assignments", db_index=False, db_constraint=False
    )
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="assignments")
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="assignments", db_constraint=False)
    propensity = models.FloatField(
        _("propensity"), help_text=_("The chance with which this variant was drawn.")
    )
    assigned_at = models.DateTimeField(_("assigned at"))

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [models.UniqueConstraint(fields=["experiment", "customer"], name="assignment_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} → {self.variant_id}"
