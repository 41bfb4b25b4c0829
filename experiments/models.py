"""Who was assigned to what, with which chance, what is judged, and what was promised before."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.customers.models import Customer


class Experiment(models.Model):
    key = models.SlugField(
        _("key"), max_length=100, unique=True, help_text=_("Seeds the hash: never changed.")
    )
    name = models.CharField(_("name"), max_length=200)
    coverage = models.FloatField(
        _("coverage"), default=1.0, help_text=_("Share of customers taken in, 0 to 1.")
    )
    hash_version = models.PositiveSmallIntegerField(_("hash version"), default=2, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        ordering = ["-created_at"]

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


class Metric(models.Model):
    """A question asked of every customer of an experiment, from assignment on, for `window_days`."""

    key = models.SlugField(_("key"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=30, help_text=_("A kind from experiments/metrics."))
    event = models.CharField(_("event"), max_length=200)
    direction = models.CharField(_("direction"), max_length=4, choices=Direction, default=Direction.UP)
    scope = models.CharField(_("scope"), max_length=10, choices=MetricScope, default=MetricScope.CUSTOMER)
    window_days = models.PositiveSmallIntegerField(_("window in days"), default=14)
    is_primary = models.BooleanField(_("primary"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name


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
