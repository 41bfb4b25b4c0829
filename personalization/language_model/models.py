"""The language model's endpoint, how the shop speaks, and every call with what it cost."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from personalization.access.fields import EncryptedTextField
from personalization.access.validators import called_by_us

ONLY = 1  # the key of the only row


class TokenLimit(models.TextChoices):
    """Under which name a server takes the limit of an answer's length."""

    MAX_TOKENS = "max_tokens", "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens", "max_completion_tokens"


class Endpoint(models.Model):
    """The only row says which server is asked; without one, and until it is switched on, none is."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    is_active = models.BooleanField(
        _("active"), default=False, help_text=_("Off: nothing is sent to any language model.")
    )
    url = models.CharField(
        _("address"), max_length=1000, validators=[called_by_us],
        help_text=_(
            "Of an OpenAI-compatible API, up to and with its version, for example https://api.openai.com/v1. "
            "A server in your own network must be named in OUTBOUND_ALLOWED_HOSTS by the operator."
        ),
    )  # fmt: skip
    model = models.CharField(
        pgettext_lazy("language model", "model"), max_length=200, help_text=_("As the server calls it.")
    )
    key = EncryptedTextField(_("key"), blank=True)
    token_limit = models.CharField(
        _("name of the length limit"), max_length=30, choices=TokenLimit, default=TokenLimit.MAX_TOKENS,
        help_text=_("Newer models of OpenAI take max_completion_tokens, most other servers max_tokens."),
    )  # fmt: skip
    price_in = models.DecimalField(
        _("price of a million tokens sent"), max_digits=12, decimal_places=4,
        validators=[MinValueValidator(Decimal(0))],
    )  # fmt: skip
    price_out = models.DecimalField(
        _("price of a million tokens answered"), max_digits=12, decimal_places=4,
        validators=[MinValueValidator(Decimal(0))],
    )  # fmt: skip
    monthly_cap = models.DecimalField(
        _("most to spend in a month"), max_digits=12, decimal_places=2,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("In the currency of the prices. No call is made that might cost more than is left."),
    )  # fmt: skip
    timeout_seconds = models.PositiveSmallIntegerField(
        _("longest wait, seconds"), default=60, validators=[MinValueValidator(1), MaxValueValidator(300)]
    )
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("language model")
        verbose_name_plural = _("language model")
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY), name="language_model_only_one")]

    def __str__(self) -> str:
        return self.model


class BrandVoice(models.Model):
    """How the shop speaks: goes with every question about text."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    voice = models.TextField(
        _("voice"), blank=True, max_length=2000,
        help_text=_("For example: warm and plain; we say “you”; no exclamation marks."),
    )  # fmt: skip
    banned_words = models.TextField(
        _("banned words"), blank=True, max_length=5000,
        help_text=_("One word or phrase a line. A text with one of them is rejected."),
    )  # fmt: skip
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("brand voice")
        verbose_name_plural = _("brand voice")
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY), name="brand_voice_only_one")]

    def __str__(self) -> str:
        return str(_("Brand voice"))

    @property
    def banned(self) -> list[str]:
        return [line.strip() for line in self.banned_words.splitlines() if line.strip()]


class CallStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Answered")
    REFUSED = "refused", _("Answer not usable")
    FAILED = "failed", _("Failed")


class Call(models.Model):
    """One question and its answer, word for word: the log. Holds no personal data (see `calls.ask`)."""

    purpose = models.CharField(_("purpose"), max_length=40)
    actor = models.CharField(_("actor"), max_length=200)
    language = models.CharField(max_length=16, default="en", editable=False)  # of whoever asked
    question = models.JSONField(_("question"), default=dict)  # what `messages` was made of
    messages = models.JSONField(_("sent"))
    max_tokens = models.PositiveIntegerField(_("longest answer, tokens"))
    digest = models.CharField(max_length=64)
    model = models.CharField(pgettext_lazy("language model", "model"), max_length=200)
    status = models.CharField(_("status"), max_length=8, choices=CallStatus, default=CallStatus.QUEUED)
    trouble = models.CharField(_("trouble"), max_length=500, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    result = models.JSONField(_("result"), null=True, blank=True)
    is_cached = models.BooleanField(_("from the cache"), default=False)
    tokens_in = models.BigIntegerField(_("tokens sent"), null=True, blank=True)
    tokens_out = models.BigIntegerField(_("tokens answered"), null=True, blank=True)
    # The worst case until the answer is there; also afterwards, when the server does not say what it took.
    cost = models.DecimalField(_("cost"), max_digits=20, decimal_places=8, default=Decimal(0))
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("call of the language model")
        verbose_name_plural = _("calls of the language model")
        ordering = ["-asked_at", "-pk"]
        indexes = [
            models.Index(fields=["digest"], name="model_call_digest"),
            models.Index(fields=["asked_at"], name="model_call_asked_at"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (CallStatus.QUEUED, CallStatus.RUNNING)
