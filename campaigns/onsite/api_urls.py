from django.urls import path

from campaigns.onsite import api, offer_api
from campaigns.onsite.quick import METHODS
from experiments.sdk.views import for_clients

urlpatterns = [
    path("decide", for_clients(*METHODS)(api.DecideView.as_view())),
    path("decide/reports", for_clients("POST")(api.ReportsView.as_view())),
    path("placements", offer_api.PlacementsView.as_view()),
    path("placements/<slug:key>", offer_api.PlacementView.as_view()),
    path("offers", offer_api.OffersView.as_view()),
    path("offers/<int:pk>", offer_api.OfferView.as_view()),
    *(
        path(f"offers/<int:pk>/{action}", offer_api.SteerView.as_view(action=action))
        for action in ("start", "pause", "end")
    ),
]
