"""A run that learns while it is sent: its audience goes out in waves, each by what the waves before did."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Run
from experiments.models import Metric


class LearningStatus(models.TextChoices):
    WAITING = "waiting", _("Waits for the next wave")
    DONE = "done", _("All waves are sent")
    CANCELED = "canceled", _("Canceled")


class Learning(models.Model):
    """The clock of the waves. `log` holds for each wave its time, customers, and the mean chance of each
    variant."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="learning", verbose_name=_("run"))
    status = models.CharField(
        _("status"), max_length=10, choices=LearningStatus, default=LearningStatus.WAITING
    )
    metric = models.ForeignKey(Metric, models.PROTECT, related_name="+", verbose_name=_("metric"))
    waves = models.PositiveSmallIntegerField(_("waves"))
    hours = models.FloatField(_("hours between waves"))
    floor = models.FloatField(_("least chance of each message"))
    next_wave = models.PositiveSmallIntegerField(_("next wave"), default=1)
    next_at = models.DateTimeField(_("next at"))
    queued_until = models.DateTimeField(null=True, editable=False)
    log = models.JSONField(_("waves so far"), default=list)

    class Meta:
        verbose_name = _("learning run")
        verbose_name_plural = _("learning runs")
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(status="waiting"), name="learning_due")
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.next_wave}/{self.waves}"
