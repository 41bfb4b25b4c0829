from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "personalization.catalog"
    verbose_name = _("Catalog")
    find_sources = ("personalization.catalog.find_sources.Items",)
