"""Files of everything about a person, that were asked for."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from personalization.access.jobs.row import Job
from personalization.customers.models import Customer
from personalization.personal_data import AtErasure, PersonalData


class PersonExport(Job):
    """`rows`: how many its file holds, which `kept_exports` keeps; None before."""

    personal_data = PersonalData("requests", AtErasure.DELETE)
    follows_merge_by = ("id",)  # all of them

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="person_exports", verbose_name=_("customer")
    )
    asked_by = models.CharField(_("asked by"), max_length=200)
    rows = models.PositiveIntegerField(_("rows"), null=True)

    class Meta:
        verbose_name = _("export of a person")
        verbose_name_plural = _("exports of persons")

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.status}"
