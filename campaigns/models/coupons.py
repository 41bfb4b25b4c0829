"""Coupon codes, each given to one message at most, for ever."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models.sending import Delivery
from personalization.personal_data import AtErasure, PersonalData


class CouponPool(models.Model):
    """Messages name it: `{% coupon "spring" %}`."""

    name = models.SlugField(_("name"), max_length=50, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    low_at = models.PositiveIntegerField(
        _("warn below"), default=100, help_text=_("So few codes left are worth a warning.")
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("coupon pool")
        verbose_name_plural = _("coupon pools")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CouponCode(models.Model):
    """Free until `taken_at`; what was taken stays so, even when its delivery is gone."""

    personal_data = PersonalData(
        "messages", AtErasure.ANONYMIZE, path="delivery__customer", ages_by="taken_at",
        also={"pool": "pool__name"},
        # A code is the shop's: without its delivery it leads to nobody, and it is never given twice.
        neutral=("code",),
    )  # fmt: skip

    pool = models.ForeignKey(
        CouponPool, models.PROTECT, related_name="codes", db_index=False, verbose_name=_("coupon pool")
    )
    code = models.CharField(_("code"), max_length=100)
    delivery = models.ForeignKey(
        Delivery, models.SET_NULL, null=True, related_name="coupons", verbose_name=_("delivery")
    )
    taken_at = models.DateTimeField(_("taken at"), null=True)

    class Meta:
        verbose_name = _("coupon code")
        verbose_name_plural = _("coupon codes")
        constraints = [
            models.UniqueConstraint(fields=["pool", "code"], name="coupon_code_once"),
            models.UniqueConstraint(
                fields=["pool", "delivery"], condition=Q(delivery__isnull=False), name="coupon_delivery_once"
            ),
        ]
        indexes = [models.Index(fields=["pool", "id"], condition=Q(taken_at=None), name="coupon_free")]

    def __str__(self) -> str:
        return f"{self.pool_id}: {self.code}"
