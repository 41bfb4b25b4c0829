"""What a machine looks for among customers, how far it is, and what it found."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.kept_words import tell


class DiscoveryKind(models.TextChoices):
    GROUPS = "groups", _("Groups among all customers")
    MIXTURE = "mixture", _("Groups that may overlap")
    LOOKALIKES = "lookalikes", _("Customers like those of a segment")


class DiscoveryStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELED = "canceled", _("Canceled")
    FAILED = "failed", _("Failed")


ACTIVE = (DiscoveryStatus.WAITING, DiscoveryStatus.RUNNING)


class Discovery(models.Model):
    """What is found stands in a trait of every customer concerned: the letter of the group (`group_<key>`),
    or the percent of others who are less alike (`alike_<key>`). `model`: centers or weights, no person."""

    name = models.CharField(_("name"), max_length=100)
    key = models.SlugField(_("key"), max_length=40, unique=True)
    kind = models.CharField(_("what is looked for"), max_length=16, choices=DiscoveryKind)
    seed = models.ForeignKey(
        "segments.Segment", models.PROTECT, null=True, blank=True, related_name="lookalikes",
        verbose_name=_("like the members of"),
    )  # fmt: skip
    purchase_event = models.CharField(_("event of a purchase"), max_length=200, default="Order Completed")
    every_days = models.PositiveIntegerField(_("anew every … days"), default=7)
    status = models.CharField(
        _("status"), max_length=16, choices=DiscoveryStatus, default=DiscoveryStatus.WAITING
    )
    share_done = models.FloatField(default=0)
    problem = models.CharField(_("why nothing was found"), max_length=300, blank=True)
    model = models.JSONField(default=dict, editable=False)
    result = models.JSONField(_("result"), default=dict, editable=False)
    worker = models.UUIDField(null=True, editable=False, help_text="who may write its traits")
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("discovery")
        verbose_name_plural = _("discoveries")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def told_problem(self) -> str:
        return tell(self.problem)

    @property
    def makes_groups(self) -> bool:
        """Else customers alike."""
        return self.kind != DiscoveryKind.LOOKALIKES

    @property
    def trait(self) -> str:
        return f"{'group' if self.makes_groups else 'alike'}_{self.key.replace('-', '_')}"
