"""Addresses at which a report can be read without an account."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Run
from experiments.models import Experiment


class ReportLink(models.Model):
    """Opens the report of one run, or of an experiment that belongs to none, until it expires or is taken
    back. Only a hash of its secret is kept."""

    run = models.ForeignKey(
        Run, models.CASCADE, null=True, related_name="report_links", verbose_name=_("run")
    )
    experiment = models.ForeignKey(
        Experiment, models.CASCADE, null=True, related_name="report_links", verbose_name=_("experiment")
    )
    secret_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    note = models.CharField(_("for whom"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True)
    uses = models.PositiveIntegerField(_("uses"), default=0, db_default=0)

    class Meta:
        verbose_name = _("report link")
        verbose_name_plural = _("report links")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(run=None) ^ models.Q(experiment=None), name="report_link_opens_one"
            )
        ]

    def __str__(self) -> str:
        return f"{self.shown.pk}: {self.note}"

    @property
    def shown(self) -> Experiment:
        """The experiment whose report it opens."""
        found = self.experiment if self.run is None else self.run.experiment
        assert found is not None
        return found

    @property
    def title(self) -> str:
        return self.run.campaign.name if self.run is not None else self.shown.name or self.shown.key
