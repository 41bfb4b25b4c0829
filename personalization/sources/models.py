"""Where data comes from: files that somebody brought, and how far each of them has got."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.fields import EncryptedTextField


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
    reasons = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), editable=False,
        help_text="why rows were rejected, the most frequent first: [{reason, rows}]; no reason quotes a row",
    )  # fmt: skip
    error = models.TextField(_("error"), blank=True)
    actor = models.CharField(_("by"), max_length=200)
    language = models.CharField(
        max_length=16, blank=True, default="", db_default="", editable=False,
        help_text="of the reasons why rows are rejected: that of whoever started it",
    )  # fmt: skip
    worker = models.UUIDField(default=uuid.uuid4, editable=False, help_text="who may write its blocks")
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
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

    @property
    def share_done(self) -> float:
        """Of the rows as they were counted beforehand."""
        return min(1.0, self.read / self.records) if self.records else 0.0


class Way(models.TextChoices):
    URL = "url", _("File at an address")
    SQL = "sql", _("Query of a database")


class Source(models.Model):
    """A place that is read again and again. Its address may hold a password and is kept encrypted."""

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    way = models.CharField(_("way"), max_length=8, choices=Way)
    address = EncryptedTextField(
        _("address"),
        help_text=_("https://… of a CSV, JSON Lines or Parquet file, or postgresql://, mysql://, sqlite:///"),
    )
    query = models.TextField(_("query"), blank=True, help_text=_("SQL: one SELECT; its columns are mapped."))
    cursor_column = models.CharField(
        _("cursor column"), max_length=100, blank=True,
        help_text=_("SQL: a column that only grows; only rows from its last value on are read again."),
    )  # fmt: skip
    cursor = models.JSONField(default=dict, blank=True, editable=False)
    options = models.JSONField(
        _("options"), default=dict, blank=True,
        help_text=_('As of an import: {"columns": {"email": ["mail"]}, "event": "Order Line"}.'),
    )  # fmt: skip
    every_minutes = models.PositiveIntegerField(_("every … minutes"), default=60)
    is_active = models.BooleanField(_("active"), default=True)
    next_at = models.DateTimeField(_("next time"), null=True, blank=True, editable=False)
    worker = models.UUIDField(default=uuid.uuid4, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class SourceRun(models.Model):
    """One reading of a source. `rejects`: the first refused rows, by line and reason alone."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="runs", verbose_name=_("source"))
    status = models.CharField(_("status"), max_length=16, choices=ImportStatus, default=ImportStatus.RUNNING)
    read = models.BigIntegerField(_("read"), default=0)
    new = models.BigIntegerField(_("new"), default=0)
    changed = models.BigIntegerField(_("changed"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    rejects = models.JSONField(_("rejected rows"), default=list, blank=True)
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("reading of a source")
        verbose_name_plural = _("readings of sources")
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.source} {self.started_at:%Y-%m-%d %H:%M}"
