"""What a row needs whose contents a worker makes."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Job(models.Model):
    """Asked for by whoever wants it, made by one worker; a dead worker loses its lease, and another
    begins."""

    status = models.CharField(_("status"), max_length=8, choices=JobStatus, default=JobStatus.DONE)
    lease_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        abstract = True

    @property
    def is_under_way(self) -> bool:
        return self.status in (JobStatus.QUEUED, JobStatus.RUNNING)
