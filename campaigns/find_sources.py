"""Campaigns, journeys, coupons and places on pages among what is found from every page."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign, CouponPool
from campaigns.models.journeys import Journey
from campaigns.onsite.models import Placement
from personalization.access.finding import NamedRows


class Campaigns(NamedRows):
    label = gettext_lazy("Campaigns")
    icon = "campaign"
    permission = "campaigns.view_campaign"
    model = Campaign
    url = "campaigns:edit"

    def note(self, row: Campaign) -> str:
        return _("archived") if row.archived_at else str(row.get_status_display())


class Journeys(NamedRows):
    label = gettext_lazy("Journeys")
    icon = "route"
    permission = "campaigns.view_journey"
    model = Journey
    url = "journeys:journey"


class CouponPools(NamedRows):
    label = gettext_lazy("Coupons")
    icon = "confirmation_number"
    permission = "campaigns.view_couponpool"
    model = CouponPool
    url = "coupons:pool"
    url_field = "name"


class Placements(NamedRows):
    label = gettext_lazy("On the page")
    icon = "web"
    permission = "onsite.view_placement"
    model = Placement
    url = "onsite:placement"
    url_field = "key"
    name_fields = ("name", "key")
