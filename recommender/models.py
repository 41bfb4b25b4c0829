"""One row per training: what went in, what came out, who promoted it and why."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.catalog.models import Item


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Training")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class DecidingMetric(models.TextChoices):
    """What a new model has to be better by; the names of `evaluation.DECIDING`."""

    NDCG = "ndcg", _("NDCG@20")
    RECALL = "recall", _("Recall@20")
    PRECISION = "precision", _("Precision@20")
    MAP = "map", _("MAP@20")
    MRR = "mrr", _("MRR@20")
    HIT_RATE = "hit_rate", _("Hit rate")


class ModelRun(models.Model):
    """There are two champions at most, one for each answer to `repeats`: the best model of what is new to a
    customer is a poor one of what to buy again, and the other way round.
    """

    algorithm = models.CharField(_("algorithm"), max_length=50)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    event_weights = models.JSONField(
        _("event weights"), default=dict, help_text=_("What each event counts, for example Order Line: 1.")
    )
    requested = models.CharField(
        _("asked for"), max_length=50, blank=True, help_text=_("auto, or the algorithm itself.")
    )
    repeats = models.BooleanField(
        _("repeats count"), default=False,
        help_text=_("Judged by, and used for, also what a customer has already."),
    )  # fmt: skip
    metric = models.CharField(
        _("deciding metric"), max_length=20, choices=DecidingMetric, default=DecidingMetric.NDCG
    )
    budget_seconds = models.PositiveIntegerField(
        _("tuning time"), null=True, blank=True, help_text=_("Seconds; empty: no tuning.")
    )
    tuning = models.JSONField(
        _("tuning"), default=dict, blank=True, help_text=_("Every try with its value on a validation slice.")
    )
    status = models.CharField(_("status"), max_length=8, choices=RunStatus, default=RunStatus.QUEUED)
    progress = models.CharField(_("progress"), max_length=200, blank=True)
    progress_share = models.FloatField(_("progress share"), default=0.0, help_text=_("0 to 1"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    error = models.TextField(_("error"), blank=True)
    data_from = models.DateTimeField(_("data from"), null=True, blank=True)
    data_until = models.DateTimeField(_("data until"), null=True, blank=True)
    n_users = models.PositiveIntegerField(_("customers"), null=True, blank=True)
    n_items = models.PositiveIntegerField(_("items"), null=True, blank=True)
    n_interactions = models.PositiveBigIntegerField(_("interactions"), null=True, blank=True)
    metrics = models.JSONField(
        _("metrics"), default=dict, blank=True, help_text=_("Each with its value and interval on later data.")
    )
    artifact = models.CharField(_("artifact"), max_length=200, blank=True)
    artifact_sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    item_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    popular_by_trait = models.JSONField(default=list, blank=True, editable=False)
    departed_ids = ArrayField(
        models.BigIntegerField(), verbose_name=_("customers erased since"), default=list, blank=True,
        editable=False, help_text=_("It learned from them: train anew to forget them."),
    )  # fmt: skip
    is_champion = models.BooleanField(_("champion"), default=False)
    promoted_at = models.DateTimeField(_("promoted at"), null=True, blank=True)
    promoted_by = models.CharField(_("promoted by"), max_length=200, blank=True)
    promoted_reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["repeats"], condition=models.Q(is_champion=True), name="one_champion_per_use"
            )
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} #{self.pk}"


class PictureVector(models.Model):
    """One picture of an item as the shop's network sees it. `vector`: float32 of length 1; empty where the
    picture cannot be read.
    """

    item = models.ForeignKey(Item, models.CASCADE, related_name="pictures", verbose_name=_("item"))
    place = models.PositiveSmallIntegerField(_("place"))
    url = models.CharField(_("picture"), max_length=500)
    encoder = models.CharField(max_length=16)
    vector = models.BinaryField(default=bytes)
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("picture of an item")
        verbose_name_plural = _("pictures of items")
        constraints = [models.UniqueConstraint(fields=["item", "place"], name="picture_once")]

    def __str__(self) -> str:
        return self.url
