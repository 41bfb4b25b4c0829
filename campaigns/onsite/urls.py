"""Staff pages, mounted at /app/onsite/."""

from django.urls import path

from campaigns.onsite import pages, why_page

app_name = "onsite"
urlpatterns = [
    path("", pages.placements, name="list"),
    path("placements/new/", pages.placement, name="new-placement"),
    path("placements/<slug:key>/", pages.placement, name="placement"),
    path("placements/<slug:key>/why/", why_page.why, name="why"),
    path("offers/new/", pages.offer, name="new-offer"),
    path("offers/preview", pages.preview, name="preview"),
    path("offers/<int:offer_id>/", pages.offer, name="offer"),
    *(
        path(f"offers/<int:offer_id>/{action}", pages.steer, {"action": action}, name=action)
        for action in ("start", "pause", "end")
    ),
]
