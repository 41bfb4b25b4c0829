"""The logs in the admin shell: read by people in words, changed by nobody."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from personalization.access.audit_details import say_details
from personalization.access.audit_words import READ_ON, THINGS, say_action, say_actor, say_target
from personalization.access.models import AuditEntry, AuditSeal, PersonalRead
from personalization.access.posted_search import PostedSearch


class LogAdmin(ModelAdmin):
    """Written by the product, read by people, changed by nobody."""

    show_full_result_count = False
    date_hierarchy: str | None = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False


class About(admin.SimpleListFilter):
    """Entries about one kind of thing, whatever was done."""

    title, parameter_name = _("kind"), "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return sorted(((thing, str(word)) for thing, word in THINGS.items()), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action__startswith=f"{self.value()}.") if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(PostedSearch, LogAdmin):
    empty_text = _("Every change that people or programs make is written down here.")
    list_display = ["at", "by", "what", "on"]
    fields = readonly_fields = ["at", "by", "what", "on", "details"]
    list_filter = [About]
    search_fields = ["actor", "target"]
    rows_called = _("entries")

    @display(description=_("actor"), ordering="actor")
    def by(self, entry: AuditEntry) -> str:
        return say_actor(entry.actor)

    @display(description=_("action"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        return say_action(entry.action)

    @display(description=_("target"), ordering="target")
    def on(self, entry: AuditEntry) -> str:
        return say_target(entry.target)

    @display(description=_("details"))
    def details(self, entry: AuditEntry) -> str:
        rows = say_details(entry.detail)
        return format_html_join("", "<div><strong>{}</strong> {}</div>", rows) or "–"


class ReadOn(admin.SimpleListFilter):
    title, parameter_name = pgettext_lazy("of the product", "page"), "page"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return ((page, str(word)) for page, word in READ_ON.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[PersonalRead]) -> QuerySet[PersonalRead]:
        return queryset.filter(page=self.value()) if self.value() else queryset


@admin.register(PersonalRead)
class PersonalReadAdmin(PostedSearch, LogAdmin):
    empty_text = _("Whenever staff see personal data, it is written down here.")
    list_display = ["at", "by", "where", "number"]
    fields = readonly_fields = ["at", "by", "where", "customer_ids"]
    list_filter = [ReadOn]
    search_fields = ["actor"]
    search_help_text = _("An actor, or the number of a customer: who saw that customer.")

    def search(
        self, request: HttpRequest, queryset: QuerySet[PersonalRead], words: str
    ) -> tuple[QuerySet[PersonalRead], bool]:
        if words.isdecimal() and len(words) < 19:
            return queryset.filter(customer_ids__contains=[int(words)]), False
        return super().search(request, queryset, words)

    @display(description=_("actor"), ordering="actor")
    def by(self, read: PersonalRead) -> str:
        return say_actor(read.actor)

    @display(description=pgettext_lazy("of the product", "page"), ordering="page")
    def where(self, read: PersonalRead) -> str:
        return str(READ_ON.get(read.page, read.page))

    @display(description=_("customers"))
    def number(self, read: PersonalRead) -> str:
        shown = ", ".join(map(str, read.customer_ids[:5]))
        more = len(read.customer_ids) - 5
        return f"{shown} … +{more}" if more > 0 else shown


@admin.register(AuditSeal)
class AuditSealAdmin(LogAdmin):
    empty_text = _("Every night the new lines of the logs are sealed, so that nobody can change them unseen.")
    date_hierarchy = None
    list_display = ["log", "first_id", "last_id", "entries", "sha256", "sealed_at"]
    list_filter = ["log"]
