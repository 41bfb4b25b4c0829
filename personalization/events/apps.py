from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "personalization.events"
    verbose_name = _("Events")
    timeline_sources = ("personalization.events.timeline_sources.EventEntries",)
