"""Texts that a language model suggested, and what people decided about them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from personalization.language_model.models import Call


class SuggestedField(models.TextChoices):
    SUBJECT = "subject", _("Subject")
    PREHEADER = "preheader", _("Preview text")
    BODY = "body", _("Words of the message")


class SuggestionStatus(models.TextChoices):
    DRAFT = "draft", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    DISMISSED = "dismissed", _("Dismissed")
    UNFIT = "unfit", _("Rejected by the checks")


class Suggestion(models.Model):
    """One text. Only an approved one may stand in a message that is launched (see `planning.checks`)."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="+", verbose_name=_("call"))
    position = models.PositiveSmallIntegerField()
    campaign = models.ForeignKey(
        Campaign,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="suggestions",
        verbose_name=_("campaign"),
    )
    field = models.CharField(_("for"), max_length=10, choices=SuggestedField)
    text = models.TextField(_("text"))
    problems = models.JSONField(_("problems"), default=list)  # sentences
    status = models.CharField(_("status"), max_length=9, choices=SuggestionStatus)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["call", "position"], name="suggestion_once")]
        indexes = [
            models.Index(fields=["status", "-created_at"], name="suggestion_status"),
            models.Index(fields=["campaign", "field"], name="suggestion_campaign"),
        ]
        permissions = [("approve_suggestion", _("Can approve suggested texts"))]

    def __str__(self) -> str:
        return self.text[:80]
