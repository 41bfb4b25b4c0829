from django.urls import path

from personalization.sources import import_api, source_api

urlpatterns = [
    path("imports", import_api.ImportList.as_view(), name="api-imports"),
    path("imports/<int:pk>", import_api.ImportDetail.as_view(), name="api-import"),
    path("imports/<int:pk>/cancel", import_api.ImportCancel.as_view(), name="api-import-cancel"),
    path("imports/<int:pk>/rejects", import_api.ImportRejects.as_view(), name="api-import-rejects"),
    path("sources", source_api.SourceList.as_view(), name="api-sources"),
    path("sources/<int:pk>/runs", source_api.SourceRuns.as_view(), name="api-source-runs"),
]
