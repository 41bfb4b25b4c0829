"""How often and when customers may be written to, and who was written to when."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Delivery
from personalization.customers.models import Channel, Customer
from personalization.personal_data import AtErasure, PersonalData

MAX_WINDOW_HOURS = 24 * 92


class FrequencyCap(models.Model):
    """At most so many messages to one customer in any span of so many hours, by whichever campaigns."""

    channel = models.CharField(
        _("channel"), max_length=16, choices=Channel, blank=True,
        help_text=_("Empty: all channels together."),
    )  # fmt: skip
    topic = models.CharField(
        _("topic"), max_length=50, blank=True, help_text=_("Empty: all topics together.")
    )
    max_messages = models.PositiveIntegerField(_("messages"), validators=[MinValueValidator(1)])
    window_hours = models.PositiveIntegerField(
        _("in so many hours"), validators=[MinValueValidator(1), MaxValueValidator(MAX_WINDOW_HOURS)],
        help_text=_("Any span of this length, not a calendar day."),
    )  # fmt: skip
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        verbose_name = _("frequency cap")
        verbose_name_plural = _("frequency caps")
        ordering = ["channel", "topic", "window_hours"]

    def __str__(self) -> str:
        where = " ".join(part for part in (self.channel, self.topic) if part)
        return f"{self.max_messages} / {self.window_hours} h {where}".strip()


class QuietHours(models.Model):
    """Hours of each customer's own clock in which nothing goes out, unless the campaign says otherwise."""

    channel = models.CharField(
        _("channel"), max_length=16, choices=Channel, blank=True, unique=True,
        help_text=_("Empty: every channel that has no quiet hours of its own."),
    )  # fmt: skip
    starts_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("until"))

    class Meta:
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(starts_at=models.F("ends_at")), name="quiet_hours_some",
                violation_error_message=_("Quiet hours end at another time than they begin."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.starts_at:%H:%M} – {self.ends_at:%H:%M}"


class TopicRule(models.Model):
    """What a topic is spared from: an order's confirmation does not wait for the morning."""

    topic = models.CharField(_("topic"), max_length=50, unique=True)
    ignores_caps = models.BooleanField(
        _("not capped"), default=False, help_text=_("Its messages are neither limited nor counted.")
    )
    ignores_quiet_hours = models.BooleanField(_("also in quiet hours"), default=False)
    needs_consent = models.BooleanField(
        _("only with consent"), default=True, db_default=True,
        help_text=_("If not, silence is a yes and only a no is a no: for what a customer must be told."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("rule for a topic")
        verbose_name_plural = _("rules for topics")
        ordering = ["topic"]

    def __str__(self) -> str:
        return self.topic


class Touch(models.Model):
    """One message that a customer got, or that a worker is about to hand over (`is_reserved`).

    No database constraints on the references: they would cost more than the rows themselves. Erasure deletes
    a customer's rows, and what is reserved meanwhile goes when its chunk is settled.
    """

    follows_merge_by = ("delivery_id",)
    personal_data = PersonalData("contact times", AtErasure.DELETE, ages_by="at", internal=("is_reserved",))

    delivery = models.OneToOneField(
        Delivery, models.CASCADE, primary_key=True, db_constraint=False, related_name="touch"
    )
    customer = models.ForeignKey(
        Customer, models.CASCADE, db_constraint=False, db_index=False, related_name="touches"
    )
    channel = models.CharField(max_length=16)
    topic = models.CharField(max_length=50)
    is_reserved = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("touch")
        verbose_name_plural = _("touches")
        indexes = [
            models.Index(fields=["customer", "-at"], name="touch_customer_at"),
            models.Index(fields=["at"], name="touch_reserved", condition=models.Q(is_reserved=True)),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} @ {self.at:%Y-%m-%d %H:%M}"


class SendLock(models.Model):
    """The queue in which campaigns that want to write to the same customer line up. A row of our own:
    customers themselves are locked by imports, in other orders; so no constraint either. What a worker makes
    for somebody who is being erased goes like what it reserves."""

    personal_data = PersonalData("contact times", AtErasure.DELETE)

    customer = models.OneToOneField(
        Customer, models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )

    class Meta:
        verbose_name = _("send lock")
        verbose_name_plural = _("send locks")

    def __str__(self) -> str:
        return str(self.customer_id)
