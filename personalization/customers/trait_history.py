"""Which values a trait had and when: appended by every write of traits, and kept with a bound.

Rows that came by the fast way of files are not in it: a file states what is, not what changed.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from personalization.personal_data import AtErasure, PersonalData

MOST_PER_TRAIT = 50


class TraitChange(models.Model):
    """A trait of a customer got this value; null: it was removed."""

    personal_data = PersonalData("profile", AtErasure.DELETE, ages_by="changed_at")
    follows_merge_by = ("id",)  # all of them

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="trait_changes", db_index=False
    )
    name = models.CharField(_("trait"), max_length=200)
    value = models.JSONField(_("value"))
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("change of a trait")
        verbose_name_plural = _("changes of traits")
        indexes = [
            models.Index(fields=["customer", "name", "-changed_at"], name="trait_change_at"),
            BrinIndex(fields=["changed_at"], name="trait_changed", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.name}"


def prune_history() -> int:
    """Removes what is more than MOST_PER_TRAIT changes old; answers how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_traitchange USING (SELECT id, row_number() OVER (PARTITION BY customer_id,"
            " name ORDER BY changed_at DESC, id DESC) AS place FROM customers_traitchange) AS ranked"
            " WHERE ranked.id = customers_traitchange.id AND ranked.place > %s",
            [MOST_PER_TRAIT],
        )
        return cursor.rowcount
