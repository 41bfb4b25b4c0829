from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")
    timeline_sources = (
        "campaigns.timeline_sources.MessageEntries",
        "campaigns.timeline_sources.JourneyEntries",
    )
    language_model_purposes = ("campaigns.suggestions.purpose.MessageText",)
    personal_stores = ("campaigns.rehearsing.personal_store.Rehearsals",)
    find_sources = (
        "campaigns.find_sources.Campaigns",
        "campaigns.find_sources.Journeys",
        "campaigns.find_sources.CouponPools",
        "campaigns.find_sources.Placements",
    )
