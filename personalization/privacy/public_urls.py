"""Mounted at /p/: pages for the people we write to, opened by signed links."""

from django.urls import path

from personalization.privacy import public_views as views

app_name = "preferences"
urlpatterns = [
    path("confirm/<str:token>", views.confirm_opt_in, name="confirm"),
    path("<str:token>", views.preferences, name="preferences"),
]
