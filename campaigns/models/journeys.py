"""A journey is a versioned graph; a passage is one customer's way through it; a step is one node passed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import RealManager, Run
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData


class JourneyStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class Journey(models.Model):
    name = models.CharField(_("name"), max_length=200)
    status = models.CharField(
        _("status"), max_length=8, choices=JourneyStatus, default=JourneyStatus.DRAFT, editable=False
    )
    draft = models.JSONField(
        _("draft"), default=dict, help_text=_("The graph being edited, as journeys.graph.")
    )
    draft_number = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    opened_at = models.DateTimeField(
        _("open since"), null=True, help_text=_("What happened before lets nobody in.")
    )
    read_at = models.DateTimeField(null=True, help_text="up to when entries and events were looked through")

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class JourneyDraft(models.Model):
    """A draft as it was saved, to which undoing goes back. Numbers above `draft_number` were undone."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="drafts")
    number = models.PositiveIntegerField()
    graph = models.JSONField()
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journey", "number"], name="journey_draft_once")]

    def __str__(self) -> str:
        return f"{self.journey_id} #{self.number}"


class JourneyVersion(models.Model):
    """A graph as it was published. Who is inside stays on the version that let them in."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="versions", verbose_name=_("journey"))
    number = models.PositiveIntegerField(_("version"))
    graph = models.JSONField(_("graph"))
    published_at = models.DateTimeField(_("published at"))
    published_by = models.CharField(_("published by"), max_length=200)

    class Meta:
        verbose_name = _("journey version")
        verbose_name_plural = _("journey versions")
        ordering = ["journey", "-number"]
        constraints = [models.UniqueConstraint(fields=["journey", "number"], name="journey_version_once")]

    def __str__(self) -> str:
        return f"{self.journey} v{self.number}"


class PassageStatus(models.TextChoices):
    INSIDE = "inside", _("Inside")
    FINISHED = "finished", _("At the end")
    LEFT = "left", _("Left by a rule")
    FAILED = "failed", _("Stuck by an error")


class Passage(models.Model):
    """`entry_key` names what let the customer in: the same event or day never does it twice."""

    # At a merge the customer's own passages of a journey stay, else the visitor's follow (customers.merging).
    follows_merge_by = ("journey_id", "is_test")
    personal_data = PersonalData(
        "journeys", AtErasure.ANONYMIZE, clear={"entry": {}, "entry_key": "", "end_reason": ""},
        neutral=("node",), ages_by="ended_at",
        also={"journey": "journey__name"}, internal=("entry_key",),
    )  # fmt: skip

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="passages", verbose_name=_("journey"))
    version = models.ForeignKey(
        JourneyVersion, models.CASCADE, related_name="passages", verbose_name=_("version")
    )
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, related_name="passages", verbose_name=_("customer")
    )
    entry_key = models.CharField(max_length=200)
    entry = models.JSONField(_("entry"), default=dict, help_text=_("What the entry said: event or API call."))
    status = models.CharField(_("status"), max_length=8, choices=PassageStatus, default=PassageStatus.INSIDE)
    node = models.CharField(_("node"), max_length=50)
    entered_at = models.DateTimeField(_("entered at"))
    arrived_at = models.DateTimeField(_("at this node since"))
    due_at = models.DateTimeField(_("goes on at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    end_reason = models.CharField(_("why it ended"), max_length=200, blank=True)
    goal_at = models.DateTimeField(_("goal reached at"), null=True)
    is_test = models.BooleanField(_("test"), default=False, db_default=False, editable=False)

    objects = RealManager()
    everything = models.Manager()  # noqa: DJ012 - the first manager is the default one

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        constraints = [
            models.UniqueConstraint(fields=["journey", "customer", "entry_key"], name="passage_once"),
            models.UniqueConstraint(
                fields=["journey", "customer", "is_test"], condition=models.Q(status="inside"),
                name="passage_one_inside_each",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["version", "node", "due_at"], condition=models.Q(status="inside"), name="passage_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journey_id}/{self.customer_id}: {self.node}"


class PassageStep(models.Model):
    """A node that was passed, and by which exit. A graph has no circles: a node is passed once.

    No database constraint on the passage: steps are written in its transaction, and it is never deleted
    beneath them (CASCADE in Django).
    """

    personal_data = PersonalData(
        "journeys", AtErasure.ANONYMIZE, path="passage__customer", ages_by="at", internal=("passage",),
        clear={"detail": ""}, neutral=("node", "exit"),
    )  # fmt: skip

    passage = models.ForeignKey(Passage, models.CASCADE, related_name="steps", db_constraint=False)
    node = models.CharField(_("node"), max_length=50)
    exit = models.CharField(_("exit"), max_length=50)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        constraints = [models.UniqueConstraint(fields=["passage", "node"], name="passage_step_once")]

    def __str__(self) -> str:
        return f"{self.passage_id}/{self.node}: {self.exit}"


class JourneyMember(models.Model):
    """Who was in the entry's segment at the last look: who is new is whoever has no row here."""

    personal_data = PersonalData("journeys", AtErasure.DELETE)
    follows_merge_by = ("journey_id",)

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="members")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("journey member")
        verbose_name_plural = _("journey members")
        constraints = [models.UniqueConstraint(fields=["journey", "customer"], name="journey_member_once")]

    def __str__(self) -> str:
        return f"{self.journey_id}/{self.customer_id}"


class ItemLook(models.Model):
    """An item's price and stock at the last look of a journey: a change is what stands here against now."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="item_looks")
    item = models.ForeignKey(Item, models.CASCADE, related_name="+")
    price = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    is_available = models.BooleanField()

    class Meta:
        verbose_name = _("look at an item")
        verbose_name_plural = _("looks at items")
        constraints = [models.UniqueConstraint(fields=["journey", "item"], name="item_look_once")]

    def __str__(self) -> str:
        return f"{self.journey_id}/{self.item_id}"


class CallStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Given up")


class WebhookCall(models.Model):
    """A call that a journey owes to another program. Made at least once, always under the same id."""

    personal_data = PersonalData(
        "journeys", AtErasure.ANONYMIZE, path="passage__customer", ages_by="created_at",
        internal=("passage",), clear={"detail": "", "url": ""}, neutral=("node",),
    )  # fmt: skip

    passage = models.ForeignKey(Passage, models.CASCADE, related_name="calls")
    node = models.CharField(_("node"), max_length=50)
    url = models.URLField(_("address"), max_length=500)
    status = models.CharField(_("status"), max_length=8, choices=CallStatus, default=CallStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due at"))
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook calls")
        constraints = [models.UniqueConstraint(fields=["passage", "node"], name="webhook_call_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(status="waiting"), name="webhook_call_due")
        ]

    def __str__(self) -> str:
        return f"{self.passage_id}/{self.node}: {self.status}"


class Trigger(models.Model):
    """One API call that let messages out. The same key is answered the same and sends nothing again."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="triggers", verbose_name=_("run"))
    key = models.CharField(_("idempotency key"), max_length=200)
    body_hash = models.BinaryField(max_length=32)
    actor = models.CharField(_("actor"), max_length=200)
    recipients = models.PositiveIntegerField(_("recipients"))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="trigger_once")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.key}"
