"""What can be recommended."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.catalog.pictures import Trouble


class Item(models.Model):
    external_id = models.CharField(_("item id"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=300)
    description = models.TextField(_("description"), blank=True)
    categories = ArrayField(
        models.CharField(max_length=100), verbose_name=_("categories"), default=list, blank=True,
        help_text=_("From broad to narrow, for example Grocery, Baby foods."),
    )  # fmt: skip
    brand = models.CharField(_("brand"), max_length=100, blank=True)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    stock = models.IntegerField(_("stock"), null=True, blank=True, help_text=_("Empty: not tracked."))
    is_hidden = models.BooleanField(_("hidden"), default=False, help_text=_("Never recommended."))
    url = models.URLField(_("page"), max_length=500, blank=True)
    image_url = models.CharField(_("picture"), max_length=500, blank=True)
    translations = models.JSONField(
        _("translations"), default=dict, blank=True,
        help_text=_('By language: {"zh": {"name": "…", "description": "…"}}.'),
    )  # fmt: skip
    attributes = models.JSONField(_("other attributes"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        indexes = [GinIndex(fields=["categories"], name="item_categories")]

    def __str__(self) -> str:
        return self.name


class ItemPicture(models.Model):
    """What was seen when the files of an item were looked at."""

    item = models.OneToOneField(Item, models.CASCADE, related_name="look", verbose_name=_("item"))
    stamp = models.CharField(max_length=32, blank=True, help_text=_("Of the files as they were."))
    looked_at = models.DateTimeField(_("looked at"))
    error = models.CharField(_("error"), max_length=20, blank=True, choices=Trouble)
    # See `likeness`: what tells nearly equal pictures.
    steps = models.BigIntegerField(null=True)
    colors = models.BinaryField(default=bytes)
    like = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="likes",
        verbose_name=_("nearly the same as"),
    )  # fmt: skip
    preview = models.CharField(_("preview"), max_length=200, blank=True, help_text=_("A GIF of its video."))

    class Meta:
        verbose_name = _("look at a picture")
        verbose_name_plural = _("looks at pictures")

    def __str__(self) -> str:
        return str(self.item)
