"""The newest result of an experiment, and the work on the next one."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from experiments.models.assignment import Experiment
from personalization.access.kept_words import tell


class AnalysisStatus(models.TextChoices):
    IDLE = "idle", _("Nothing under way")
    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Under way")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class Analysis(models.Model):
    """One row per experiment: what was found last, and whether a worker is at it again.

    The result are sums, from which every report is made when it is read; it stays while a new one is made.
    """

    experiment = models.OneToOneField(
        Experiment, models.CASCADE, related_name="analysis", verbose_name=_("experiment")
    )
    status = models.CharField(_("status"), max_length=8, choices=AnalysisStatus, default=AnalysisStatus.IDLE)
    asked_at = models.DateTimeField(_("asked at"), null=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    lease_until = models.DateTimeField(null=True, help_text="after it the worker counts as dead")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    steps_done = models.PositiveSmallIntegerField(_("steps done"), default=0)
    steps = models.PositiveSmallIntegerField(_("steps"), default=0)
    error = models.CharField(_("error"), max_length=500, blank=True)
    as_of = models.DateTimeField(_("as of"), null=True)
    seconds = models.FloatField(_("seconds it took"), null=True)
    result = models.JSONField(_("result"), null=True, encoder=DjangoJSONEncoder)
    groups = models.JSONField(
        pgettext_lazy("of customers", "groups"), default=dict, blank=True,
        help_text=_("Which groups of customers are compared, and by which metric."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(status__in=["queued", "running"]),
                name="analysis_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.status}"

    @property
    def told_error(self) -> str:
        return tell(self.error)

    @property
    def share_done(self) -> float:
        return self.steps_done / self.steps if self.steps else 0.0

    @property
    def is_running(self) -> bool:
        return self.status == AnalysisStatus.RUNNING

    @property
    def is_under_way(self) -> bool:
        return self.status in (AnalysisStatus.QUEUED, AnalysisStatus.RUNNING)
