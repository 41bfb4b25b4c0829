from django.urls import path

from personalization.privacy import api

urlpatterns = [
    path("topics", api.TopicList.as_view(), name="api-topics"),
    path("customers/<str:external_id>/opt-ins", api.CustomerOptIn.as_view(), name="api-opt-in"),
    path(
        "customers/<str:external_id>/preferences-link",
        api.PreferencesLink.as_view(),
        name="api-preferences-link",
    ),
]
