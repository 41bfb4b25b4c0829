"""Mounted at /t/: short, because every link of every message carries it."""

from django.urls import path

from campaigns.tracking import views

app_name = "tracking"
urlpatterns = [
    path("o/<str:token>.gif", views.open_pixel, name="open"),
    path("c/<str:token>", views.click, name="click"),
    path("s/<str:token>", views.trap, name="trap"),
    path("n/<str:token>.gif", views.countdown, name="countdown"),
    path("p/<str:token>.png", views.worded_picture, {"kind": "png"}, name="worded-png"),
    path("p/<str:token>.jpg", views.worded_picture, {"kind": "jpg"}, name="worded-jpg"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("<str:token>", views.short_click, name="short-click"),
]
