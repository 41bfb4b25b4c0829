"""Topics in the admin shell."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from personalization.privacy.models import Topic


@admin.register(Topic)
class TopicAdmin(ModelAdmin):
    empty_text = _("Topics are what people may subscribe to and leave one by one: news, offers, tips.")
    list_display = ["name", "key", "is_public", "position"]
    search_fields = ["name", "key"]
