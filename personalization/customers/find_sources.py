"""Customers among what is found from every page: for who may see personal data, and noted as read."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from personalization.access.finding import FindSource, Found
from personalization.customers.reading import PERMISSION, show
from personalization.customers.search import search


class Customers(FindSource):
    label = _("Customers")
    icon = "group"
    permission = PERMISSION

    def find(self, request: HttpRequest, words: list[str], *, limit: int) -> Iterable[Found]:
        if not request.user.has_perm("customers.view_customer"):
            return
        for customer in show(request, search(" ".join(words), limit=limit), page="find"):
            note = " · ".join(part for part in (customer.email, customer.external_id, customer.city) if part)
            yield Found(str(customer), reverse("customers:profile", args=[customer.pk]), note)
