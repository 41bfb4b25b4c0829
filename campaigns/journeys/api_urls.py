from django.urls import path

from campaigns.journeys import api

urlpatterns = [
    path("", api.JourneysView.as_view()),
    path("/<int:pk>", api.JourneyView.as_view()),
    path("/<int:pk>/publish", api.PublishView.as_view()),
    *(
        path(f"/<int:pk>/{action}", api.SteerJourneyView.as_view(action=action))
        for action in ("pause", "resume", "end")
    ),
    path("/<int:pk>/counts", api.CountsView.as_view()),
    path("/<int:pk>/enter", api.EnterView.as_view()),
    path("/<int:pk>/people", api.PeopleView.as_view()),
]
