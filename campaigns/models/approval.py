"""Which campaigns a second person must approve, and who approved what."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from personalization.customers.models import Channel


class ApprovalRule(models.Model):
    """Campaigns that fit need a second person's yes before they may be launched. Without rules, none do."""

    channel = models.CharField(
        _("channel"), max_length=16, choices=Channel, blank=True, help_text=_("Empty: every channel.")
    )
    topic = models.CharField(_("topic"), max_length=50, blank=True, help_text=_("Empty: every topic."))
    at_least = models.PositiveIntegerField(
        _("customers or more"), default=0,
        help_text=_("Of the segment. Triggered campaigns, whose size nobody knows, always count as more."),
    )  # fmt: skip
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        verbose_name = _("rule for approval")
        verbose_name_plural = _("rules for approval")
        ordering = ["channel", "topic", "at_least"]

    def __str__(self) -> str:
        where = " ".join(part for part in (self.channel, self.topic) if part)
        return f"≥ {self.at_least} {where}".strip()


class ApprovalStatus(models.TextChoices):
    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Approval(models.Model):
    """One request, and what became of it. It vouches for the content with this digest and for no other."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="approvals", verbose_name=_("campaign")
    )
    digest = models.CharField(max_length=64, editable=False)
    note = models.CharField(_("note"), max_length=1000, blank=True)
    # The account behind an API key, where the key asked.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    requested_as = models.CharField(max_length=200)
    requested_at = models.DateTimeField(_("asked at"))
    status = models.CharField(
        _("status"), max_length=10, choices=ApprovalStatus, default=ApprovalStatus.PENDING,
        db_default=ApprovalStatus.PENDING,
    )  # fmt: skip
    decided_as = models.CharField(_("decided by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    comment = models.CharField(_("comment"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"], condition=models.Q(status="pending"), name="approval_pending_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign}: {self.get_status_display()}"
