from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContentConfig(AppConfig):
    name = "personalization.content"
    verbose_name = _("Content")
    find_sources = (
        "personalization.content.find_sources.Blocks",
        "personalization.content.find_sources.PhraseSets",
    )
