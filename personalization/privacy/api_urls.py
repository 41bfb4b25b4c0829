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
    path("customers/<str:external_id>/personal-data", api.PersonalDataExport.as_view(), name="api-export"),
    path("customers/<str:external_id>/erasure", api.Erasure.as_view(), name="api-erasure"),
    path("privacy-requests/<int:pk>", api.PrivacyRequestDetail.as_view(), name="api-privacy-request"),
]
