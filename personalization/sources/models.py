"""Where data comes from: files that somebody brought, and how far each of them has got."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    CUSTOMERS = "customers", _("Customers")
    ITEMS = "items", _("Items")
    EVENTS = "events", _("Events")


class ImportStatus(models.TextChoices):
    DRAFT = "draft", _("Not started")
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


ACTIVE = (ImportStatus.WAITING, ImportStatus.RUNNING)


class Import(models.Model):
    """One file on its way in. The counts are those of the rows that are durable: they are written in the
    transaction of each block, so whoever goes on after a crash begins at `read`."""

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    name = models.CharField(_("file"), max_length=300)
    path = models.CharField(max_length=500, editable=False, help_text="empty once the file was deleted")
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    options = models.JSONField(_("options"), default=dict, blank=True)
    size_bytes = models.BigIntegerField(_("size"), default=0)
    records = models.BigIntegerField(_("records"), default=0, help_text="in the file, as counted beforehand")
    status = models.CharField(
        _("status"), max_length=16, choices=ImportStatus, default=ImportStatus.DRAFT, db_index=True
    )
    dry_run = models.BooleanField(_("dry run"), default=False)
    read = models.BigIntegerField(_("read"), default=0)
    new = models.BigIntegerField(_("new"), default=0)
    changed = models.BigIntegerField(_("changed"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    rejects_bytes = models.BigIntegerField(default=0, editable=False)
    error = models.TextField(_("error"), blank=True)
    actor = models.CharField(_("by"), max_length=200)
    worker = models.UUIDField(default=uuid.uuid4, editable=False, help_text="who may write its blocks")
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE
