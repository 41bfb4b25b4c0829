from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SourcesConfig(AppConfig):
    name = "personalization.sources"
    verbose_name = _("Data sources")
    personal_stores = ("personalization.sources.personal_store.ImportFiles",)
