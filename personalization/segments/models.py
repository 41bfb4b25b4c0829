"""A rule-defined group of customers; every saved change is a new version."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.kept_words import tell
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData
from personalization.segments.discovery_models import Discovery, DiscoveryKind, DiscoveryStatus
from personalization.segments.export_models import ExportKind, SegmentExport

__all__ = [
    "Discovery", "DiscoveryKind", "DiscoveryStatus", "ExportKind", "Segment", "SegmentExport",
    "SegmentMembership", "SegmentMove", "SegmentVersion", "SegmentWatch",
]  # fmt: skip


class Segment(models.Model):
    name = models.CharField(_("name"), max_length=200, unique=True)
    description = models.TextField(_("description"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def current(self) -> "SegmentVersion":
        """The newest version. Raises SegmentVersion.DoesNotExist for a segment that was never defined."""
        return self.versions.latest("number")


class SegmentVersion(models.Model):
    """A definition as it was saved. Launched campaigns point here, so a later edit rewrites no history."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="versions", verbose_name=_("segment"))
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("segment version")
        verbose_name_plural = _("segment versions")
        ordering = ["segment", "-number"]
        constraints = [models.UniqueConstraint(fields=["segment", "number"], name="segment_version_once")]

    def __str__(self) -> str:
        return f"{self.segment} v{self.number}"


class SegmentWatch(models.Model):
    """How far the memberships of a segment are. Whoever refreshes them holds this row's lock until commit, so
    a killed worker leaves nothing behind and moves get their numbers in the order of their commits."""

    segment = models.OneToOneField(Segment, models.CASCADE, primary_key=True, related_name="watch")
    version = models.ForeignKey(SegmentVersion, models.CASCADE, null=True)
    rule = models.CharField(
        max_length=64, blank=True, help_text="Hash of the definition with all it refers to"
    )
    since = models.DateTimeField(null=True, help_text="From when on memberships are known")
    checked_at = models.DateTimeField(null=True)
    # What was received until then was looked at, also if its transaction was still open.
    seen_until = models.DateTimeField(null=True)
    full_at = models.DateTimeField(null=True)
    full_seconds = models.FloatField(default=0)
    member_count = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.member_count}"

    @property
    def told_problem(self) -> str:
        return tell(self.problem)


class SegmentMembership(models.Model):
    """A customer was in the segment in [entered_at, left_at)."""

    personal_data = PersonalData("profile", AtErasure.DELETE, also={"segment_name": "segment__name"})
    follows_merge_by = ("segment",)

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="memberships", db_index=False)
    version = models.ForeignKey(
        SegmentVersion, models.CASCADE, db_index=False, help_text="By which they entered"
    )
    entered_at = models.DateTimeField(_("entered at"))
    left_at = models.DateTimeField(_("left at"), null=True)

    class Meta:
        verbose_name = _("segment membership")
        verbose_name_plural = _("segment memberships")
        indexes = [
            models.Index(fields=["customer", "-entered_at"], name="membership_customer"),
            models.Index(fields=["segment", "entered_at"], name="membership_entered"),
            models.Index(
                fields=["segment", "left_at"],
                name="membership_left",
                condition=models.Q(left_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=models.Q(left_at=None), name="membership_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class SegmentMove(models.Model):
    """A customer entered or left, numbered in the order in which it became visible: journeys read them."""

    personal_data = PersonalData("profile", AtErasure.DELETE, ages_by="at")
    follows_merge_by = ("id",)  # all of them

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="moves", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="segment_moves")
    entered = models.BooleanField(_("entered"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("segment move")
        verbose_name_plural = _("segment moves")
        indexes = [models.Index(fields=["segment", "id"], name="segment_move_order")]

    def __str__(self) -> str:
        return f"{self.customer_id} {'→' if self.entered else '←'} {self.segment_id}"
