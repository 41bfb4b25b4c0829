"""Mounted at /api/v1/."""

from django.urls import path

from campaigns.suggestions import api

urlpatterns = [
    path("suggestions", api.SuggestionsView.as_view()),
    path("suggestions/calls/<int:pk>", api.SuggestionCallView.as_view()),
    path("suggestions/<int:pk>/approve", api.ApproveView.as_view()),
    path("suggestions/<int:pk>/dismiss", api.DismissView.as_view()),
]
