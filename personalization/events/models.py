"""What customers did: one row per event, never changed after it was written."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData


class Event(models.Model):
    """An event is known by its customer and the hash of its messageId: the same message never counts twice.

    Every key starts with the customer: the table can be hash-partitioned or distributed by `customer_id` as
    it is. Time cannot be part of the key: a client that repeats a message gets another corrected time.
    The two references carry no database constraint (it would cost a third of the ingestion rate); the writer
    locks the customers it writes for, and erasure deletes their events first.
    """

    personal_data = PersonalData(
        "events", AtErasure.DELETE, ages_by="occurred_at", also={"item": "item__external_id"}
    )

    pk = models.CompositePrimaryKey("customer_id", "message_key")
    customer = models.ForeignKey(
        Customer, models.CASCADE, db_constraint=False, db_index=False, related_name="events"
    )
    message_key = models.UUIDField(help_text="128-bit BLAKE2b of the messageId")
    name = models.CharField(_("event"), max_length=200)
    item = models.ForeignKey(
        Item, models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="events"
    )
    value = models.DecimalField(_("value"), max_digits=14, decimal_places=2, null=True)
    properties = models.JSONField(_("properties"), default=dict)
    context = models.JSONField(_("context"), default=dict, help_text="place, device, campaign, page")
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["customer", "-occurred_at"], name="event_customer_at"),
            # Answers "bought three times in 30 days" from the index alone.
            models.Index(
                fields=["name", "occurred_at"], include=["customer", "item", "value"], name="event_name_at"
            ),
            # Rows lie in the order in which they came: a few pages tell what is new since a moment.
            BrinIndex(fields=["received_at"], name="event_received", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.name} @ {self.occurred_at:%Y-%m-%d %H:%M}"
