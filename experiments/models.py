"""Who was assigned to what, with which chance, what is judged, and what was promised before."""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func
from django.utils.translation import gettext_lazy as _

from experiments.metric_checks import check_metric
from experiments.targeting_models import TargetingStudy
from experiments.traffic_models import ClientKey, Holdout, HoldoutMember, HoldoutVersion, Layer
from personalization.customers.models import Customer
from personalization.segments.models import SegmentVersion

__all__ = [
    "Assignment", "ClientKey", "DaySums", "Direction", "Experiment", "Holdout",
    "HoldoutMember", "HoldoutVersion", "Layer", "Look", "Metric", "MetricRole", "MetricScope",
    "MetricState", "Origin", "Plan", "TargetingStudy", "Variant",
]  # fmt: skip


class Origin(models.TextChoices):
    LAUNCH = "launch", _("Made by a launch")
    API = "api", _("Made through the API")


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

    # The unique constraint below starts with the experiment: no index of its own.
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="assignments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="assignments")
    variant = models.ForeignKey(Variant, models.PROTECT, related_name="assignments")
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


class Direction(models.TextChoices):
    UP = "up", _("More is better")
    DOWN = "down", _("Less is better")


class MetricScope(models.TextChoices):
    CUSTOMER = "customer", _("Everything the customer does (comparable with the no-send control)")
    EXPERIMENT = "experiment", _("Only events caused by this campaign (compared between mailed variants)")


class MetricRole(models.TextChoices):
    PRIMARY = "primary", _("Primary: decides")
    SECONDARY = "secondary", _("Secondary: explains")
    GUARDRAIL = "guardrail", _("Guardrail: must not become worse")


class Metric(models.Model):
    """A question asked of every customer of an experiment, from assignment on, for `window_days`."""

    key = models.SlugField(_("key"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=30, help_text=_("How events become one number."))
    event = models.CharField(
        _("event"), max_length=200, help_text=_("The name of the event, as your shop sends it.")
    )
    denominator_event = models.CharField(
        _("divided by"), max_length=200, blank=True,
        help_text=_("Only for ratios: the event whose number divides, for example Order Completed."),
    )  # fmt: skip
    property_name = models.CharField(
        _("only where property"), max_length=100, blank=True,
        help_text=_("Count only events with this property; empty counts all."),
    )  # fmt: skip
    property_value = models.CharField(_("has the value"), max_length=200, blank=True)
    direction = models.CharField(_("direction"), max_length=4, choices=Direction, default=Direction.UP)
    scope = models.CharField(_("scope"), max_length=10, choices=MetricScope, default=MetricScope.CUSTOMER)
    from_day = models.PositiveSmallIntegerField(
        _("from day"), default=0, help_text=_("Days after assignment when counting begins; 0 is at once.")
    )
    window_days = models.PositiveSmallIntegerField(
        _("to day"), default=14, help_text=_("Days after assignment when counting ends.")
    )
    cap = models.DecimalField(
        _("cap"), max_digits=14, decimal_places=2, null=True, blank=True,
        help_text=_("The most one customer can count for, so that one huge order does not decide. Choose it "
                    "before the start. Empty: no cap."),
    )  # fmt: skip
    quantile = models.FloatField(
        _("quantile"), null=True, blank=True,
        help_text=_("Only for quantiles: 0.9 asks what nine of ten customers stay below."),
    )  # fmt: skip
    role = models.CharField(_("role"), max_length=10, choices=MetricRole, default=MetricRole.SECONDARY)
    margin = models.FloatField(
        _("margin"), null=True, blank=True,
        help_text=_("Only for guardrails: the harm you would still accept, in the metric's own unit. For a "
                    "share, 0.001 is a tenth of a percentage point."),
    )  # fmt: skip
    covariate_days = models.PositiveSmallIntegerField(
        _("days before"), default=0,
        help_text=_("Compare each customer with what the same customer did in so many days before "
                    "assignment (CUPED). It makes intervals narrower for habits. 0: do not."),
    )  # fmt: skip
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_primary(self) -> bool:
        return self.role == MetricRole.PRIMARY

    def clean(self) -> None:
        check_metric(self)


class MetricState(models.Model):
    """How far the sums of one metric of one experiment are stored.

    Stored is what happened before `until` and was received until `received_until`; both lie an hour back, so
    that whoever writes events has committed by then. `definition` and the two sums over the assignments tell
    when everything must be computed anew.
    """

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="+", db_index=False)
    metric = models.ForeignKey(Metric, models.CASCADE, related_name="+")
    definition = models.JSONField()
    until = models.DateTimeField()
    received_until = models.DateTimeField()
    assigned = models.BigIntegerField()
    assigned_checksum = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        verbose_name = _("stored sums")
        verbose_name_plural = _("stored sums")
        constraints = [models.UniqueConstraint(fields=["experiment", "metric"], name="metric_state_once")]

    def __str__(self) -> str:
        return f"{self.experiment_id}/{self.metric_id} < {self.until}"


def _sum(digits: int = 40) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=digits, decimal_places=4, default=0)


class DaySums(models.Model):
    """What one day added to the sums of a variant; see `experiments.metrics.Sums`."""

    state = models.ForeignKey(MetricState, models.CASCADE, related_name="days", db_index=False)
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="+", db_index=False)
    day = models.IntegerField()
    total, squares = _sum(), _sum()
    weight, weight_squares, products = _sum(), _sum(), _sum()
    before, before_squares, before_products = _sum(), _sum(), _sum()

    class Meta:
        verbose_name = _("sums of a day")
        verbose_name_plural = _("sums of days")
        constraints = [models.UniqueConstraint(fields=["state", "variant", "day"], name="day_sums_once")]

    def __str__(self) -> str:
        return f"{self.state_id}/{self.variant_id}/{self.day}"


class Plan(models.Model):
    """What was promised before the first customer was counted. Never changed: a change is a new version, with
    who, when and why."""

    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="plans", verbose_name=_("experiment")
    )
    version = models.PositiveSmallIntegerField(_("version"))
    terms = models.JSONField(_("terms"), help_text=_("Everything that decides, metric definitions included."))
    made_by = models.CharField(_("made by"), max_length=200)
    made_at = models.DateTimeField(_("made at"))
    reason = models.CharField(_("reason"), max_length=500, blank=True, help_text=_("Why it was changed."))
    # The clock's own columns, no part of the promise.
    next_look_at = models.DateTimeField(_("next look"), null=True, editable=False)
    queued_until = models.DateTimeField(
        null=True, editable=False, help_text="a task for its look is probably in the broker until then"
    )

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["experiment", "version"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "version"], name="plan_version_once"),
            models.CheckConstraint(
                condition=models.Q(version=1) | ~models.Q(reason=""), name="plan_change_has_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"], condition=models.Q(next_look_at__isnull=False), name="plan_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.experiment} v{self.version}"


class Look(models.Model):
    """A planned look that was taken: the sums it saw and what followed. Taken once, never again."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="taken", verbose_name=_("plan"))
    number = models.PositiveSmallIntegerField(_("number"))
    due_at = models.DateTimeField(_("due at"), help_text=_("Events until then were counted."))
    taken_at = models.DateTimeField(_("taken at"))
    statistics = models.JSONField(_("statistics"), help_text=_("Sums by metric and variant."))
    decision = models.JSONField(_("decision"))

    class Meta:
        verbose_name = _("look")
        verbose_name_plural = _("looks")
        ordering = ["plan", "number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="look_taken_once")]

    def __str__(self) -> str:
        return f"{self.plan}: {self.number}"
