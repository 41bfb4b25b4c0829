"""Staff pages, mounted at /app/data/."""

from django.urls import path

from personalization.sources import import_pages

app_name = "sources"
urlpatterns = [
    path("imports/", import_pages.imports, name="imports"),
    path("imports/<int:pk>/", import_pages.show, name="import"),
    path("imports/<int:pk>/live", import_pages.live, name="import-live"),
    path("imports/<int:pk>/options", import_pages.options, name="import-options"),
    path("imports/<int:pk>/act", import_pages.act, name="import-act"),
    path("imports/<int:pk>/rejects.csv", import_pages.rejects, name="import-rejects"),
]
