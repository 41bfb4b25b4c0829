from django.urls import path

from campaigns.connect import pages

app_name = "connect"
urlpatterns = [path("", pages.connect, name="connect")]
