"""Servers that messages may take content from: the allow-list of connected content."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.fields import EncryptedTextField
from personalization.access.validators import called_by_us


class ContentSource(models.Model):
    """Templates name it and give parameters; nobody but who keeps this list decides which server is asked."""

    name = models.SlugField(
        _("name"), max_length=50, unique=True, help_text=_("As messages call it, for example weather.")
    )
    url = models.CharField(
        _("address"), max_length=1000, validators=[called_by_us],
        help_text=_("https; the parameters of a message are put behind it."),
    )  # fmt: skip
    authorization = EncryptedTextField(
        _("authorization"), blank=True, help_text=_("Sent as the Authorization header; kept encrypted.")
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        _("longest wait, seconds"), default=3, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    max_kilobytes = models.PositiveSmallIntegerField(
        _("largest answer, kB"), default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    cache_seconds = models.PositiveIntegerField(
        _("answers are kept for, seconds"), default=300, validators=[MaxValueValidator(86_400)]
    )
    fallback = models.JSONField(
        _("fallback"), null=True, blank=True,
        help_text=_("What messages get without an answer; empty: the customer is skipped."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("content source")
        verbose_name_plural = _("connected content")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
