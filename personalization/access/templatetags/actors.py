"""`{{ version.created_by|actor }}`: who did something, as people call them."""

from django import template

from personalization.access.audit_words import say_actor

register = template.Library()
register.filter("actor", say_actor)
