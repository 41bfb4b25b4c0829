"""Staff pages of journeys, mounted at /app/journeys/."""

from django.urls import path

from campaigns.journeys import asking, edit_pages, pages
from campaigns.rehearsing.pages import journey_live, journey_rehearsal

app_name = "journeys"
urlpatterns = [
    path("", pages.journey_list, name="list"),
    path("new", pages.create, name="create"),
    path("<int:journey_id>/", pages.journey, name="journey"),
    path("<int:journey_id>/rehearsal/", journey_rehearsal, name="rehearsal"),
    path("<int:journey_id>/rehearsal/live", journey_live, name="rehearsal-live"),
    path("<int:journey_id>/live", pages.live, name="live"),
    path("<int:journey_id>/edit", edit_pages.edit, name="edit"),
    path("<int:journey_id>/sure/<slug:action>/", asking.sure, name="sure"),
    path("<int:journey_id>/<slug:action>", pages.steer, name="steer"),
]
