"""Every training there ever was, as a list; what belongs to one stands on its own page (`pages.py`)."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from recommender.models import ModelRun, RunStatus
from recommender.pages import wording


@admin.register(ModelRun)
class ModelRunAdmin(ModelAdmin):
    list_display = [
        "title",
        "status_badge",
        "champion_badge",
        "ndcg",
        "recall",
        "above_popular",
        "n_customers",
        "created_at",
    ]
    list_filter = ["status", "algorithm", "repeats"]
    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a run is made by training

    def has_change_permission(self, request: HttpRequest, obj: ModelRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelRun | None = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        """The shell's search and the audit log lead here."""
        return redirect("recommender:run", object_id)

    @display(description=_("Model"))
    def title(self, run: ModelRun) -> SafeString:
        address = reverse("recommender:run", args=[run.pk])
        return format_html('<a href="{}">{}</a>', address, wording.run_title(run))

    @display(
        description=_("Status"),
        label={
            RunStatus.QUEUED: "info", RunStatus.RUNNING: "warning", RunStatus.DONE: "success",
            RunStatus.FAILED: "danger", RunStatus.CANCELED: "info",
        },
    )  # fmt: skip
    def status_badge(self, run: ModelRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("Champion"), label={"yes": "success"})
    def champion_badge(self, run: ModelRun) -> tuple[str, str] | str:
        return ("yes", gettext("Serves now")) if run.is_champion else ""

    @display(description=_("NDCG@20"))
    def ndcg(self, run: ModelRun) -> str:
        return wording.figure(run.metrics.get("own", {}).get("ndcg"))

    @display(description=_("Recall@20"))
    def recall(self, run: ModelRun) -> str:
        return wording.figure(run.metrics.get("own", {}).get("recall"))

    @display(description=_("Above most popular"))
    def above_popular(self, run: ModelRun) -> str:
        return wording.difference_figure(wording.above_popular(run))

    @display(description=_("Customers"), ordering="n_users")
    def n_customers(self, run: ModelRun) -> str:
        return wording.count(run.n_users)
