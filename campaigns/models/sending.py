"""A run of a campaign is sent in chunks; a delivery is one message to one customer, or why not."""

from typing import TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campaigns.models.campaigns import Campaign, Fallback
from experiments.models import Experiment, Variant
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData
from personalization.segments.models import SegmentVersion


class RunStatus(models.TextChoices):
    SENDING = "sending", _("Sending")
    PAUSED = "paused", _("Paused")
    CANCELED = "canceled", _("Canceled")
    FINISHED = "finished", _("Finished")


M = TypeVar("M", bound=models.Model)


class RealManager(models.Manager[M]):
    """Without what was triggered by a test key: nothing that counts, limits, learns or tells may see it.
    `everything` has it too, for what sends it and shows it."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(is_test=False)


class Run(models.Model):
    """One launch: the audience frozen, the messages as they were, the experiment that judges it."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="runs", verbose_name=_("campaign"))
    number = models.PositiveIntegerField(_("number"))
    status = models.CharField(_("status"), max_length=10, choices=RunStatus, default=RunStatus.SENDING)
    segment_version = models.ForeignKey(
        SegmentVersion, models.PROTECT, null=True, verbose_name=_("segment version")
    )
    experiment = models.ForeignKey(
        Experiment, models.PROTECT, verbose_name=_("experiment"), related_name="runs"
    )
    content = models.JSONField(
        _("content as launched"), help_text="sender, topic and each variant's templates"
    )
    audience_size = models.PositiveIntegerField(_("audience"))
    launched_by = models.CharField(_("launched by"), max_length=200)
    launched_at = models.DateTimeField(_("launched at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    is_standing = models.BooleanField(
        _("standing"), default=False, db_default=False,
        help_text=_("Takes in more customers as long as it is open."),
    )  # fmt: skip
    note = models.CharField(
        _("note"), max_length=300, blank=True, help_text=_("Why the run waits, when we stopped it ourselves.")
    )

    per_second = models.FloatField(
        _("messages a second"), null=True, blank=True, help_text=_("At most; empty: as fast as it goes.")
    )
    # Stands beside the standing run of the same number, and takes in whom test keys name.
    is_test = models.BooleanField(_("test"), default=False, db_default=False, editable=False)

    objects = RealManager()
    everything = models.Manager()  # noqa: DJ012 - the first manager is the default one

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-launched_at"]
        constraints = [models.UniqueConstraint("campaign", "number", "is_test", name="run_number_once_each")]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.number}"


class ChunkStatus(models.TextChoices):
    FREE = "free", _("Free")
    CLAIMED = "claimed", _("Claimed")
    DONE = "done", _("Done")


class Chunk(models.Model):
    """About 500 deliveries that one worker sends at a time. Workers compete for chunks, never for recipients:
    claiming single rows does not scale with workers."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=ChunkStatus, default=ChunkStatus.FREE)
    lease_owner = models.CharField(
        max_length=128,
        blank=True,
        help_text="journal/boot/token: who may write, and whose journal tells the rest",
    )
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(help_text="not to be claimed before; moved on for temporary failures")
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="claims since the last one that ended well"
    )
    queued_until = models.DateTimeField(
        null=True, help_text="a task for it is probably in the broker until then"
    )

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="chunk_once")]
        indexes = [models.Index(fields=["due_at"], condition=~models.Q(status="done"), name="chunk_open")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Not sent")
    UNKNOWN = "unknown", pgettext_lazy("outcome", "Unknown")


class SkipReason(models.TextChoices):
    CONTROL = "control", _("In the control group")
    NOT_COVERED = "not_covered", _("Outside the experiment")
    HOLDOUT = "holdout", _("In a holdout")
    NO_ADDRESS = "no_address", _("No address")
    INVALID_ADDRESS = "invalid_address", _("Invalid address")
    DUPLICATE_ADDRESS = "duplicate_address", _("Address already in this audience")
    NO_CONSENT = "no_consent", _("No consent")
    SUPPRESSED = "suppressed", _("Suppressed")
    NO_CONTENT = "no_content", _("No content: the template failed, or had no item to show")
    MISSING_VALUE = "missing_value", _("A value of the message is missing")
    LEFT_OUT = "left_out", _("Left out by the message itself")
    NO_COUPON = "no_coupon", _("No coupon code left")
    NO_WINNER = "no_winner", _("The test found nothing to send")
    CANCELED = "canceled", _("Canceled")
    ERASED = "erased", _("Customer erased")
    CAP = "cap", _("Too many messages lately")
    QUIET_HOURS = "quiet_hours", _("Quiet hours")
    LEFT_JOURNEY = "left_journey", _("Left the journey before")
    RATE = "rate", _("Waits for its turn: the rate allows no more")
    WARM_UP = "warm_up", _("Waits for tomorrow: the sender warms up")
    BUSY = "busy", _("Refused for now: tried again by itself")


class Delivery(models.Model):
    """One row for everyone considered at launch, also for those who get nothing, with the reason.

    Run, chunk and variant without database constraints: they are written before their deliveries and never
    deleted beneath them (PROTECT, CASCADE in Django), and to check a million times that the one run exists
    is a third of a launch. The customer's stays: customers are erased at any moment.
    """

    personal_data = PersonalData(
        "messages",
        AtErasure.ANONYMIZE,
        clear={"inputs": None, "detail": "", "variables": None, "devices": None},
        ages_by="sent_at",
        also={"campaign": "run__campaign__name", "variant": "variant__name"},
        internal=("chunk", "occurrence"),
    )

    # Both indexes below begin with the run.
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="deliveries", db_index=False, db_constraint=False,
        verbose_name=_("run"),
    )  # fmt: skip
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, related_name="deliveries", verbose_name=_("customer")
    )
    chunk = models.ForeignKey(
        Chunk, models.CASCADE, null=True, related_name="deliveries", db_constraint=False
    )
    variant = models.ForeignKey(
        Variant, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False,
        verbose_name=_("variant"),
    )  # fmt: skip
    propensity = models.FloatField(_("propensity"), null=True)
    # The rest of the audience has no place in the test: it waits without a chunk until that is decided.
    is_rest = models.BooleanField(_("rest"), default=False, db_default=False)
    status = models.CharField(
        _("status"), max_length=8, choices=DeliveryStatus, default=DeliveryStatus.PENDING
    )
    reason = models.CharField(_("reason"), max_length=20, choices=SkipReason, blank=True)
    detail = models.CharField(
        _("detail"), max_length=300, blank=True, help_text=_("What the server answered.")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    inputs = models.JSONField(
        _("inputs"), null=True, help_text=_("What the message was made from: items with their reasons, time.")
    )
    devices = models.JSONField(
        _("devices"), null=True,
        help_text=_("What each device of the person answered to a push; named by service and hash."),
    )  # fmt: skip
    # A standing run writes to the same customer again: by the number of the trigger or of the journey's pass.
    occurrence = models.BigIntegerField(_("occurrence"), default=0, db_default=0)
    variables = models.JSONField(
        _("variables"), null=True, help_text=_("What the trigger said, as `trigger` in templates.")
    )
    due_at = models.DateTimeField(_("waits until"), null=True)
    wait_ends_at = models.DateTimeField(
        _("waits at most until"), null=True, help_text=_("Then it is dropped for what holds it back.")
    )
    is_test = models.BooleanField(_("test"), default=False, db_default=False, editable=False)

    objects = RealManager()
    everything = models.Manager()  # noqa: DJ012 - the first manager is the default one

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["run", "customer", "occurrence"], name="delivery_once")
        ]
        indexes = [models.Index(fields=["run", "status"], name="delivery_run_status")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.customer_id}: {self.status}"


class RolloutStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting for the test")
    DECIDED = "decided", _("Decided")
    CANCELED = "canceled", _("Canceled")


class Rollout(models.Model):
    """The rest of a run's audience, and what the test decided for it. Decided once, never again."""

    run = models.OneToOneField(Run, models.CASCADE, related_name="rollout", verbose_name=_("run"))
    status = models.CharField(
        _("status"), max_length=10, choices=RolloutStatus, default=RolloutStatus.WAITING
    )
    fallback = models.CharField(_("without a winner"), max_length=10, choices=Fallback)
    variant = models.ForeignKey(
        Variant, models.PROTECT, null=True, related_name="+", verbose_name=_("variant"),
        help_text=_("What the rest gets; empty for nothing."),
    )  # fmt: skip
    code = models.CharField(_("reason"), max_length=30, blank=True)
    is_fallback = models.BooleanField(_("by the fallback"), default=False)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("rollout")
        verbose_name_plural = _("rollouts")

    def __str__(self) -> str:
        return f"{self.run}: {self.status}"
