"""Mounted at /app/suggestions/."""

from django.urls import path

from campaigns.suggestions import pages

app_name = "suggestions"
urlpatterns = [
    path("", pages.suggestion_list, name="list"),
    path("ask", pages.ask, name="ask"),
    path("calls/<int:call_id>", pages.call, name="call"),
    path("<int:suggestion_id>/<slug:decision>", pages.decide, name="decide"),
]
