from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SegmentsConfig(AppConfig):
    name = "personalization.segments"
    verbose_name = _("Segments")
    language_model_purposes = ("personalization.segments.from_words.SegmentDefinition",)
    timeline_sources = ("personalization.segments.timeline_sources.SegmentEntries",)
    personal_stores = ("personalization.segments.personal_store.ExportedFiles",)
    find_sources = ("personalization.segments.find_sources.Segments",)
