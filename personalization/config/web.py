"""What a web process serves: the application, ready before the first request."""

from importlib import import_module

from django.urls import resolve

from personalization.config.wsgi import application

__all__ = ["application"]
resolve("/healthz")  # imports all pages, for about a second
# Not at the top, where imports are sorted: models can be imported only once the application is made.
import_module("campaigns.onsite.warming").warm_up()
import_module("campaigns.onsite.answering").refresher.start()
