"""What a row needs whose contents a worker makes."""

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING)


def language_now() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


class Job(models.Model):
    """Asked for by whoever wants it, made by one worker; a dead worker loses its lease, and another
    begins. `language`: of who asked, for what the worker says."""

    status = models.CharField(_("status"), max_length=8, choices=JobStatus, default=JobStatus.DONE)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    language = models.CharField(max_length=10, default=language_now, db_default="en", editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True)
    share_done = models.FloatField(default=0, db_default=0.0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY
