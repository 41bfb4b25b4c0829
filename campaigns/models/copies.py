"""What exactly was sent, kept small: each message squeezed against the text that its variant shares."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Delivery, Run
from personalization.personal_data import AtErasure, PersonalData


class CopyPattern(models.Model):
    """The text of one variant's template: what its messages have in common, and nothing of any customer."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="+", verbose_name=_("run"))
    variant = models.CharField(_("variant"), max_length=50)
    text = models.BinaryField(_("text"))

    class Meta:
        verbose_name = _("pattern of sent messages")
        verbose_name_plural = _("patterns of sent messages")
        constraints = [models.UniqueConstraint(fields=["run", "variant"], name="copy_pattern_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.variant}"


class SentCopy(models.Model):
    """The bytes of one message as they were handed over; see `campaigns.sending.copies`."""

    personal_data = PersonalData(
        "messages", AtErasure.DELETE, path="delivery__customer", ages_by="kept_at",
        internal=("pattern", "body", "digest"),
    )  # fmt: skip

    delivery = models.OneToOneField(
        Delivery, models.CASCADE, primary_key=True, related_name="copy", verbose_name=_("delivery")
    )
    pattern = models.ForeignKey(
        CopyPattern, models.CASCADE, related_name="+", db_index=False, verbose_name=_("pattern")
    )
    digest = models.BinaryField(_("SHA-256"), max_length=32, help_text=_("Of the bytes as they were sent."))
    body = models.BinaryField(_("content"))
    kept_at = models.DateTimeField(_("kept at"), db_index=True)

    class Meta:
        verbose_name = _("sent message")
        verbose_name_plural = _("sent messages")

    def __str__(self) -> str:
        return str(self.delivery_id)
