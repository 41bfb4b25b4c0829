"""Topics in the admin shell."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from personalization.privacy.models import Topic


@admin.register(Topic)
class TopicAdmin(ModelAdmin):
    list_display = ["name", "key", "is_public", "position"]
    search_fields = ["name", "key"]
