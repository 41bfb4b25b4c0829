"""What a web process serves: the application, ready before the first request."""

from django.urls import resolve

from campaigns.onsite.warming import warm_up
from personalization.config.wsgi import application

__all__ = ["application"]
resolve("/healthz")  # imports all pages, for about a second
warm_up()
