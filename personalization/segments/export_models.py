"""Files of a segment that were asked for."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.jobs.row import Job


class ExportKind(models.TextChoices):
    CUSTOMERS = "customers", _("Customers under pseudonyms")
    EVENTS = "events", _("Events under pseudonyms")


class SegmentExport(Job):
    """`rows`: how many its file holds, which `kept_exports` keeps; None before."""

    segment = models.ForeignKey(
        "segments.Segment", models.CASCADE, related_name="exports", verbose_name=_("segment")
    )
    what = models.CharField(_("what"), max_length=10, choices=ExportKind)
    asked_by = models.CharField(_("asked by"), max_length=200)
    rows = models.PositiveIntegerField(_("rows"), null=True)

    class Meta:
        verbose_name = _("export of a segment")
        verbose_name_plural = _("exports of segments")

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.what}"
