"""A placement is a slot on a page or in an app; offers compete for it, each in one or several variants."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.item_choice import DEFAULT_COUNT, MAX_COUNT
from experiments.models import Experiment, Metric
from personalization.segments.models import Segment, SegmentVersion


class Order(models.TextChoices):
    """Who comes first when several offers fit one visitor."""

    PRIORITY = "priority", _("By priority")
    LEARNED = "learned", _("By what earns most, learned while showing")
    INCREMENTAL = "incremental", _("Next best action: by what earns most beyond doing nothing")


class Placement(models.Model):
    key = models.SlugField(
        _("key"), max_length=100, unique=True, help_text=_("What the page calls it: never changed.")
    )
    name = models.CharField(_("name"), max_length=200)
    fallback = models.TextField(
        _("default content"),
        blank=True,
        help_text=_("HTML, the same for everybody: shown when no offer fits, and when we are down."),
    )
    order = models.CharField(_("order of offers"), max_length=12, choices=Order, default=Order.PRIORITY)
    metric = models.ForeignKey(
        Metric, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("what counts as earned"),
        help_text=_("For the next best action: each offer is measured by it against its own control group."),
    )  # fmt: skip
    tells_apart = models.JSONField(
        _("tells customers apart by"), default=list, blank=True,
        db_default=models.Value([], models.JSONField()),
        help_text=_(
            "For the next best action: device, daypart, weekend, country, language, and names of traits."
            " Empty: an offer is worth the same for everybody. What is learned counts once there is enough of"
            " it."
        ),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OfferStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    LIVE = "live", _("Live")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class Offer(models.Model):
    placement = models.ForeignKey(
        Placement, models.PROTECT, related_name="offers", verbose_name=_("placement")
    )
    name = models.CharField(_("name"), max_length=200)
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="offers", verbose_name=_("segment"),
        help_text=_("Only its members see the offer. Empty: everybody, unknown visitors too."),
    )  # fmt: skip
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=100, help_text=_("The offer with the smallest number comes first.")
    )
    value = models.DecimalField(
        _("worth of a click"), max_digits=10, decimal_places=2, default=1,
        validators=[MinValueValidator(0)],
        help_text=_("Weighs the offers of a placement that learns."),
    )  # fmt: skip
    control_share = models.FloatField(
        _("control share"), default=0.1, validators=[MinValueValidator(0), MaxValueValidator(0.9)],
        help_text=_("Share of the visitors that gets the default content, to measure against."),
    )  # fmt: skip
    max_views = models.PositiveSmallIntegerField(
        _("views at most"), null=True, blank=True, help_text=_("Per customer. Empty: no limit.")
    )
    view_days = models.PositiveSmallIntegerField(
        _("within days"), default=7, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=OfferStatus, default=OfferStatus.DRAFT, editable=False
    )
    segment_version = models.ForeignKey(
        SegmentVersion, models.PROTECT, null=True, editable=False, related_name="+"
    )
    experiment = models.OneToOneField(
        Experiment, models.PROTECT, null=True, editable=False, related_name="offer",
        verbose_name=_("experiment"),
    )  # fmt: skip
    # Of the last weeks, counted every minute for the placements that learn (see learning).
    seen = models.PositiveIntegerField(_("customers who saw it"), default=0, editable=False)
    clicked = models.PositiveIntegerField(_("customers who clicked"), default=0, editable=False)
    # For the next best action: n, sum and sum of squares of those who were given it, and of its control.
    outcomes = models.JSONField(_("outcomes"), default=dict, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["placement", "priority", "pk"]

    def __str__(self) -> str:
        return self.name


class OfferContent(models.Model):
    """What one variant of an offer shows."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="contents", verbose_name=_("offer"))
    key = models.SlugField(_("key"), max_length=50)
    name = models.CharField(_("name"), max_length=100, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    weight = models.FloatField(_("weight"), default=1.0)
    body = models.TextField(_("body"), help_text=_("HTML with Liquid."))
    item_count = models.PositiveSmallIntegerField(
        _("recommended items"), default=DEFAULT_COUNT,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_COUNT)],
    )  # fmt: skip
    rules = models.JSONField(_("rules"), default=dict, blank=True)

    class Meta:
        verbose_name = _("content of an offer")
        verbose_name_plural = _("contents of offers")
        ordering = ["offer", "position"]
        constraints = [models.UniqueConstraint(fields=["offer", "key"], name="offer_content_key_once")]

    def __str__(self) -> str:
        return f"{self.offer}: {self.name or self.key}"
