"""What is judged, and the sums that are kept of it."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from experiments.models.assignment import Experiment, Variant
from experiments.models.metric_checks import check_metric


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
    archived_at = models.DateTimeField(
        _("archived at"), null=True, blank=True, editable=False,
        help_text=_("No longer asked; plans that were made with it keep it."),
    )  # fmt: skip

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
    before_weight, before_weight_squares, before_pairs = _sum(), _sum(), _sum()
    total_before_weight, weight_before, weight_before_weight = _sum(), _sum(), _sum()

    class Meta:
        verbose_name = _("sums of a day")
        verbose_name_plural = _("sums of days")
        constraints = [models.UniqueConstraint(fields=["state", "variant", "day"], name="day_sums_once")]

    def __str__(self) -> str:
        return f"{self.state_id}/{self.variant_id}/{self.day}"
