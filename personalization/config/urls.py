"""All addresses. Apps bring their own urls; this file only mounts them."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
