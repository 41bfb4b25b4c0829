"""What was found about whom to mail."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class TargetingStudy(models.Model):
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
    offer = models.CharField(_("offer"), max_length=10, help_text=_("model, rule or nobody"))
    document = models.JSONField(_("what was found"), encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("targeting study")
        verbose_name_plural = _("targeting studies")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.offer}"
