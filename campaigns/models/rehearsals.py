"""Rehearsals that were asked for, and what they found."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaigns import Campaign
from campaigns.models.journeys import Journey
from personalization.access.jobs.row import Job


class Rehearsal(Job):
    """Of a campaign or of a journey. `result`: what it found, in which a few people are named (see
    campaigns/rehearsing/personal_store.py); None before."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, null=True, related_name="rehearsals", verbose_name=_("campaign")
    )
    journey = models.ForeignKey(
        Journey, models.CASCADE, null=True, related_name="rehearsals", verbose_name=_("journey")
    )
    at = models.DateTimeField(_("begins at"), null=True)
    days = models.PositiveSmallIntegerField(_("days"))
    asked_by = models.CharField(_("asked by"), max_length=200)
    result = models.JSONField(_("result"), null=True, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(campaign=None) ^ models.Q(journey=None), name="rehearsal_of_one"
            )
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.status}"

    @property
    def what(self) -> Campaign | Journey:
        found = self.campaign or self.journey
        assert found is not None  # the constraint
        return found
