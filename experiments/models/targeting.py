"""What was found about whom to mail."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.jobs.row import Job


class TargetingStudy(Job):
    """Appended, never edited: what was known about whom to mail, and on which customers."""

    experiment = models.ForeignKey(
        "experiments.Experiment", models.CASCADE, related_name="targeting", verbose_name=_("experiment")
    )
    metric = models.ForeignKey(
        "experiments.Metric", models.CASCADE, related_name="+", verbose_name=_("metric")
    )
    variant = models.ForeignKey(
        "experiments.Variant", models.CASCADE, related_name="+", verbose_name=_("variant")
    )
    as_of = models.DateTimeField(_("as of"))
    wishes = models.JSONField(
        _("wishes"), default=dict, help_text="traits, cost, seed, save_segment, write_trait"
    )
    offer = models.CharField(_("offer"), max_length=10, blank=True, help_text=_("model, rule or nobody"))
    document = models.JSONField(_("what was found"), null=True, encoder=DjangoJSONEncoder)
    used_as = models.CharField(_("used as"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("targeting study")
        verbose_name_plural = _("targeting studies")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.offer}"
