from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "personalization.customers"
    verbose_name = _("Customers")
    timeline_sources = (
        "personalization.customers.timeline_sources.ConsentEntries",
        "personalization.customers.timeline_sources.MergeEntries",
        "personalization.customers.timeline_sources.TraitEntries",
    )
    find_sources = ("personalization.customers.find_sources.Customers",)
