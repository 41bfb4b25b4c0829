"""The list of segments; a row opens the builder."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Max, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from personalization.customers.reading import may_see
from personalization.privacy.told import told_words
from personalization.segments import selectors
from personalization.segments.models import Segment


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    empty_text = _(
        "A segment is a rule about customers, counted while you write it. Campaigns go to segments."
    )
    list_display = ["name", "size", "description", "version_count", "changed_at"]
    search_fields = ["name", "description"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        segments = super().get_queryset(request).filter(archived_at=None)
        segments = segments.annotate(is_whole=Value(may_see(request)))
        return segments.annotate(number=Count("versions"), changed=Max("versions__created_at"))

    @display(description=_("customers"))
    def size(self, segment: Any) -> str:
        number = selectors.size(segment, now=timezone.now())
        return "—" if number is None else told_words(number, whole=segment.is_whole)

    @display(description=_("versions"), ordering="number")
    def version_count(self, segment: Any) -> int:
        return segment.number

    @display(description=_("changed at"), ordering="changed")
    def changed_at(self, segment: Any) -> Any:
        return segment.changed

    def has_delete_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        # Launched campaigns point at its versions.
        return False

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("segments:new")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("segments:edit", object_id)
