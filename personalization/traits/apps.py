from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TraitsConfig(AppConfig):
    name = "personalization.traits"
    verbose_name = _("Computed traits")
