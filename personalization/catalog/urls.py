"""Staff pages, mounted at /app/catalog/."""

from django.urls import path

from personalization.catalog import pages

app_name = "catalog"
urlpatterns = [path("pictures/", pages.pictures, name="pictures")]
