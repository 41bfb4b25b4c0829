"""Where each customer of an experiment stood when the sums of its days were stored."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from experiments.models.assignment import Experiment


class SourceTotals(models.Model):
    """For metrics that read the same events: `columns` say what is added up, until which moments.

    Packs lead to no customer row, but hold numbers of people: see `experiments.personal_store`.
    """

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="+", db_index=False)
    source_key = models.CharField(max_length=32)
    source = models.JSONField()
    columns = ArrayField(models.CharField(max_length=60))
    until = models.DateTimeField()
    received_until = models.DateTimeField()

    class Meta:
        verbose_name = _("totals of customers")
        verbose_name_plural = _("totals of customers")
        constraints = [
            models.UniqueConstraint(fields=["experiment", "source_key"], name="source_totals_once")
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}/{self.source_key} < {self.until}"


class TotalsPack(models.Model):
    """Of the customers whose ids begin with `number`: the rest of their ids, and their numbers by column."""

    totals = models.ForeignKey(SourceTotals, models.CASCADE, related_name="packs", db_index=False)
    number = models.BigIntegerField()
    customers = models.BinaryField()
    numbers = ArrayField(models.BinaryField())

    class Meta:
        verbose_name = _("pack of totals")
        verbose_name_plural = _("packs of totals")
        constraints = [models.UniqueConstraint(fields=["totals", "number"], name="totals_pack_once")]

    def __str__(self) -> str:
        return f"{self.totals_id}/{self.number}"
