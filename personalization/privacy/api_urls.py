from django.urls import path

from personalization.privacy import api, export_api

urlpatterns = [
    path("topics", api.TopicList.as_view(), name="api-topics"),
    path("customers/<str:external_id>/opt-ins", api.CustomerOptIn.as_view(), name="api-opt-in"),
    path(
        "customers/<str:external_id>/preferences-link",
        api.PreferencesLink.as_view(),
        name="api-preferences-link",
    ),
    path("customers/<str:external_id>/exports", export_api.PersonExports.as_view(), name="api-exports"),
    path("customers/<str:external_id>/exports/<int:pk>", export_api.PersonExportDetail.as_view()),
    path("customers/<str:external_id>/exports/<int:pk>/cancel", export_api.PersonExportCancel.as_view()),
    path("customers/<str:external_id>/exports/<int:pk>/file", export_api.PersonExportFile.as_view()),
    path("customers/<str:external_id>/erasure", api.Erasure.as_view(), name="api-erasure"),
    path("privacy-requests/<int:pk>", api.PrivacyRequestDetail.as_view(), name="api-privacy-request"),
]
