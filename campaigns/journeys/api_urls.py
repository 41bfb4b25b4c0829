from django.urls import path

from campaigns.journeys import api
from campaigns.journeys.services import STEER
from campaigns.rehearsing.api import JourneyRehearsalsView

urlpatterns = [
    path("journeys", api.JourneysView.as_view()),
    path("journeys/<int:pk>", api.JourneyView.as_view()),
    path("journeys/<int:pk>/publish", api.PublishView.as_view()),
    *(path(f"journeys/<int:pk>/{action}", api.SteerJourneyView.as_view(action=action)) for action in STEER),
    path("journeys/<int:pk>/rehearsals", JourneyRehearsalsView.as_view()),
    path("journeys/<int:pk>/counts", api.CountsView.as_view()),
    path("journeys/<int:pk>/enter", api.EnterView.as_view()),
    path("journeys/<int:pk>/people", api.PeopleView.as_view()),
]
