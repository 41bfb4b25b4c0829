"""What everything together earned against a holdout, as it was computed."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from experiments.models.traffic import Holdout
from personalization.access.jobs.row import Job


class LongRunStudy(Job):
    """Appended, never edited. `wishes`: cost of a message, margin, event; `weeks`: one entry per week so
    far."""

    holdout = models.ForeignKey(Holdout, models.CASCADE, related_name="long_run", verbose_name=_("holdout"))
    wishes = models.JSONField(_("wishes"), default=dict)
    as_of = models.DateTimeField(_("as of"))
    weeks = models.JSONField(_("weeks"), null=True, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("long-run study")
        verbose_name_plural = _("long-run studies")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.holdout_id}: {self.status}"
