"""Traits that are computed from events: what is asked, and how far the answer is."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.kept_words import tell


class TextSource(models.Model):
    """Where customers write freely: a property of an event, or a trait. `name` begins its computed traits."""

    name = models.CharField(
        _("name"), max_length=40, unique=True,
        help_text=_("Traits begin with it: review gives review_topic and review_language."),
    )  # fmt: skip
    event = models.CharField(
        _("event"), max_length=200, blank=True, help_text=_("For example Review Submitted. Empty: a trait.")
    )
    property = models.CharField(
        _("property or trait"),
        max_length=100,
        help_text=_("Of the event, or the trait: where the text stands."),
    )
    rating_property = models.CharField(
        _("property with stars"), max_length=100, blank=True,
        help_text=_("A number from 1 (worst). Sentiment is learned from it; empty: no sentiment."),
    )  # fmt: skip
    rating_best = models.PositiveSmallIntegerField(_("best rating"), default=5)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("text source")
        verbose_name_plural = _("text sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TraitDefinition(models.Model):
    """One computed trait. Its value stands among the customer's other traits, under `name`."""

    name = models.CharField(
        _("name"), max_length=60, unique=True,
        help_text=_("As segments and templates know it, for example orders_90_days."),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=40)
    event = models.CharField(
        _("event"), max_length=200, blank=True, default="Order Completed",
        help_text=_("Which events are read; some kinds read several by themselves."),
    )  # fmt: skip
    property = models.CharField(
        _("property"), max_length=100, blank=True,
        help_text=_(
            "Of the event, for sums, averages, first and last; empty: its value, or its time. Of the "
            "items, for interests and taste: brand, or an attribute such as tags; empty: categories."
        ),
    )  # fmt: skip
    filter = models.JSONField(
        _("only events with"), default=dict, blank=True,
        help_text=_('Properties and their values, {"category": "Tea"} for items of a category.'),
    )  # fmt: skip
    window_days = models.PositiveIntegerField(
        _("window in days"), null=True, blank=True,
        help_text=_("Only events of so many days; the horizon of a forecast. Empty: all."),
    )  # fmt: skip
    description = models.CharField(_("description"), max_length=300, blank=True)
    text_source = models.ForeignKey(
        TextSource, models.CASCADE, null=True, blank=True, editable=False, related_name="definitions",
        verbose_name=_("text source"),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    # How far it is. `state`: what was learned of all customers (quintiles, parameters of a model).
    refreshed_at = models.DateTimeField(_("refreshed at"), null=True, editable=False)
    full_at = models.DateTimeField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    share_done = models.FloatField(default=0, db_default=0.0, editable=False)
    covered = models.PositiveIntegerField(_("customers with a value"), default=0, editable=False)
    state = models.JSONField(default=dict, editable=False)
    problem = models.CharField(_("why there is no value"), max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name = _("computed trait")
        verbose_name_plural = _("computed traits")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def told_problem(self) -> str:
        return tell(self.problem)
