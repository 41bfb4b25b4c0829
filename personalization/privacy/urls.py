from django.urls import path

from personalization.privacy import export_views, views

app_name = "privacy"
urlpatterns = [
    path("requests", views.request_list, name="requests"),
    path("requests/<int:pk>", views.request_detail, name="request"),
    path("requests/<int:pk>/live", views.request_live, name="request-live"),
    path("requests/<int:pk>/certificate.json", views.certificate, name="certificate"),
    path("customers/<int:pk>/export", export_views.export, name="export"),
    path("customers/<int:pk>/exports/live", export_views.live, name="export-live"),
    path("customers/<int:pk>/exports/<int:export_id>.zip", export_views.download, name="export-file"),
    path("customers/<int:pk>/erase", views.erase, name="erase"),
    path("retention", views.retention_rules, name="retention"),
]
