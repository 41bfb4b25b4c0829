"""A campaign is planned: to whom, when and how, and what each of its messages says."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.item_choice import DEFAULT_COUNT, MAX_COUNT
from experiments.models import Allocation, Holdout
from personalization.content.missing import Policy
from personalization.customers.models import Channel
from personalization.segments.models import Segment


class CampaignStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    LAUNCHED = "launched", _("Launched")


class CampaignKind(models.TextChoices):
    BROADCAST = "broadcast", _("To a segment")
    TRIGGERED = "triggered", _("Triggered, person by person")


class Fallback(models.TextChoices):
    """What the rest of an audience gets when the test could not tell."""

    BASELINE = "baseline", _("The first variant, which the others are compared with")
    BEST = "best", _("Whichever looks best, though it may be chance")
    NOBODY = "nobody", _("Nothing")


class Campaign(models.Model):
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(
        _("kind"), max_length=10, choices=CampaignKind, default=CampaignKind.BROADCAST,
        db_default=CampaignKind.BROADCAST,
    )  # fmt: skip
    channel = models.CharField(_("channel"), max_length=16, choices=Channel, default=Channel.EMAIL)
    topic = models.CharField(_("topic"), max_length=50, default="marketing")
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, verbose_name=_("segment"), related_name="campaigns"
    )
    sender_name = models.CharField(_("sender name"), max_length=100, blank=True)
    sender_address = models.EmailField(_("sender address"), blank=True)
    control_share = models.FloatField(
        _("control share"),
        default=0.1,
        help_text=_("Share of the segment that gets nothing, to measure against."),
    )
    plan = models.JSONField(
        _("plan"),
        default=dict,
        blank=True,
        help_text=_("Wishes for the test; what is left out is chosen well."),
    )
    test_share = models.FloatField(
        _("test share"),
        default=1.0,
        help_text=_(
            "Share of the segment that tries the variants; the rest waits for the winner. 1: no rest."
        ),
    )
    fallback = models.CharField(
        _("without a winner"), max_length=10, choices=Fallback, default=Fallback.BASELINE
    )
    allocation = models.CharField(
        _("shared out"), max_length=8, choices=Allocation, default=Allocation.FIXED,
        db_default=Allocation.FIXED, help_text=_("How the variants are shared out."),
    )  # fmt: skip
    learning = models.JSONField(
        _("learning"), default=dict, blank=True,
        help_text=_("metric, waves, hours between them, floor: the least chance of each message."),
    )  # fmt: skip
    holdout = models.ForeignKey(
        Holdout,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("holdout"),
        help_text=_("Its members get nothing of this campaign. Global holdouts are kept out anyway."),
    )
    utm = models.JSONField(
        _("UTM parameters"), default=dict, blank=True,
        help_text=_("source, medium, campaign, term, content; none without a source."),
    )  # fmt: skip
    tracks_clicks = models.BooleanField(
        _("clicks are counted"), default=True, db_default=True,
        help_text=_("Links lead by way of this server, which counts them; short ones in SMS and WhatsApp."),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=10, choices=CampaignStatus, default=CampaignStatus.DRAFT, editable=False
    )
    scheduled_at = models.DateTimeField(_("send at"), null=True, blank=True)
    timing = models.JSONField(
        _("timing"), default=dict, blank=True,
        help_text=_("Local time, repetition, quiet hours, what is done with capped messages."),
    )  # fmt: skip
    problem = models.CharField(
        _("problem"),
        max_length=500,
        blank=True,
        editable=False,
        help_text=_("Why a scheduled launch did not happen."),
    )
    language = models.CharField(
        max_length=10, default="", blank=True, db_default="", editable=False,
        help_text=_("Of whoever planned the launch: what hinders it is told in it."),
    )  # fmt: skip
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name=_("created by")
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "scheduled_at"], name="campaign_due")]
        permissions = [
            ("launch_campaign", _("Can launch campaigns")),
            ("approve_campaign", _("Can approve campaigns of others")),
        ]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """What one variant of a campaign says."""

    campaign = models.ForeignKey(
        Campaign, models.CASCADE, related_name="messages", verbose_name=_("campaign")
    )
    key = models.SlugField(_("key"), max_length=50)
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    weight = models.FloatField(_("weight"), default=1.0, help_text=_("Relative to the other variants."))
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    preheader = models.CharField(_("preview text"), max_length=300, blank=True)
    body = models.TextField(_("body"), help_text=_("Liquid; for e-mail MJML or HTML."))
    fields = models.JSONField(
        _("fields of the channel"), default=dict, blank=True, help_text=_("For example the link of a push.")
    )
    translations = models.JSONField(
        _("translations"), default=dict, blank=True, db_default=models.Value({}, models.JSONField()),
        help_text=_("Subject, preview text, body and fields by language; what is left out is as above."),
    )  # fmt: skip
    item_count = models.PositiveSmallIntegerField(
        _("recommended items"),
        default=DEFAULT_COUNT,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_COUNT)],
        help_text=_("How many items a customer gets at most."),
    )
    rules = models.JSONField(
        _("rules"),
        default=dict,
        blank=True,
        help_text=_("What may be recommended, as the API describes it."),
    )
    missing = models.CharField(
        _("missing values"), max_length=5, choices=Policy, default=Policy.PRINT_NOTHING,
        db_default=Policy.PRINT_NOTHING,
        help_text=_("What becomes of a message in which a value is missing."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["campaign", "position"]
        constraints = [models.UniqueConstraint(fields=["campaign", "key"], name="message_key_once")]

    def __str__(self) -> str:
        return f"{self.campaign}: {self.name}"
