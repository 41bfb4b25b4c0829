"""What was promised before the first customer was counted, and each look that was taken."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from experiments.models.assignment import Experiment


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
