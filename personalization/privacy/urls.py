from django.urls import path

from personalization.privacy import views

app_name = "privacy"
urlpatterns = [
    path("requests", views.request_list, name="requests"),
    path("requests/<int:pk>", views.request_detail, name="request"),
    path("requests/<int:pk>/live", views.request_live, name="request-live"),
    path("requests/<int:pk>/certificate.json", views.certificate, name="certificate"),
    path("customers/<int:pk>/export", views.export, name="export"),
    path("customers/<int:pk>/erase", views.erase, name="erase"),
    path("retention", views.retention_rules, name="retention"),
]
