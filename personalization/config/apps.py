from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigConfig(AppConfig):
    name = "personalization.config"
    verbose_name = _("Configuration")
    find_sources = ("personalization.config.find_sources.Pages",)
