"""Where the short links of texts lead: there is no room in them for the address itself."""

from django.db import models
from django.db.models.functions import MD5
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Delivery
from personalization.personal_data import AtErasure, PersonalData


class ShortLink(models.Model):
    """One address in one message; see `campaigns.tracking.short`."""

    personal_data = PersonalData("messages", AtErasure.DELETE, path="delivery__customer", ages_by="made_at")

    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="short_links", db_index=False, verbose_name=_("delivery")
    )
    url = models.TextField(_("address"))
    made_at = models.DateTimeField(_("made at"), db_index=True)

    class Meta:
        verbose_name = _("short link")
        verbose_name_plural = _("short links")
        constraints = [
            # An address may be longer than an index takes.
            models.UniqueConstraint("delivery", MD5("url"), name="short_link_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
