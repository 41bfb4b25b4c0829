"""Models in the admin shell: what was trained, how good it is, which one serves; train and promote."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from recommender import algorithms, services, tasks
from recommender.models import ModelRun, RunStatus


class TrainForm(BaseDialogForm):
    algorithm = forms.ChoiceField(label=_("Algorithm"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, gettext(algorithms.get(name).title)) for name in algorithms.names()]
        self.fields["algorithm"].choices = choices


class ReasonForm(BaseDialogForm):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget)


@admin.register(ModelRun)
class ModelRunAdmin(ModelAdmin):
    list_display = [
        "title",
        "status_badge",
        "champion_badge",
        "ndcg",
        "recall",
        "against",
        "n_customers",
        "created_at",
    ]
    list_filter = ["status", "algorithm"]
    list_display_links = ["title"]
    fieldsets = [
        (None, {"fields": ["algorithm", "status", "progress_text", "error", "is_champion"]}),
        (_("Evidence"), {"fields": ["metrics_table", "decision"]}),
        (_("Promotion"), {"fields": ["promoted_at", "promoted_by", "promoted_reason"]}),
        (
            _("Data and file"),
            {
                "fields": [
                    "parameters", "event_weights", "data_from", "data_until", "n_users", "n_items",
                    "n_interactions", "artifact", "artifact_sha256", "created_at", "started_at",
                    "finished_at",
                ]
            },
        ),
    ]  # fmt: skip
    actions_list = ["train", "roll_back"]
    actions_detail = ["promote"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a run is made by training

    def has_change_permission(self, request: HttpRequest, obj: ModelRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelRun | None = None) -> bool:
        return False

    # Methods, not permission names: Unfold looks up names in the database, at a check that runs before
    # migrations.
    def has_train_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recommender.add_modelrun")

    def has_promote_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("recommender.change_modelrun")

    @display(description=_("Model"))
    def title(self, run: ModelRun) -> str:
        return f"{_title(run.algorithm)} #{run.pk}"

    @display(
        description=_("Status"),
        label={
            RunStatus.QUEUED: "info", RunStatus.RUNNING: "warning", RunStatus.DONE: "success",
            RunStatus.FAILED: "danger",
        },
    )  # fmt: skip
    def status_badge(self, run: ModelRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("Champion"), label={"yes": "success"})
    def champion_badge(self, run: ModelRun) -> tuple[str, str] | str:
        return ("yes", gettext("Serves now")) if run.is_champion else ""

    @display(description=_("NDCG@20"))
    def ndcg(self, run: ModelRun) -> str:
        return _figure(run.metrics.get("own", {}).get("ndcg"))

    @display(description=_("Recall@20"))
    def recall(self, run: ModelRun) -> str:
        return _figure(run.metrics.get("own", {}).get("recall"))

    @display(description=_("Against"))
    def against(self, run: ModelRun) -> str:
        found = run.metrics.get("difference")
        if not found or found["low"] is None:
            return "—"
        return f"{found['against']}: {found['difference']:+.3f} ({found['low']:+.3f} … {found['high']:+.3f})"

    @display(description=_("Customers"), ordering="n_users")
    def n_customers(self, run: ModelRun) -> str:
        return "—" if run.n_users is None else str(run.n_users)

    @display(description=_("Progress"))
    def progress_text(self, run: ModelRun) -> str:
        return gettext(run.progress) if run.progress else "—"

    @display(description=_("Decision"))
    def decision(self, run: ModelRun) -> str:
        return run.metrics.get("decision", "—")

    @display(description=_("On later events, 95 % intervals"))
    def metrics_table(self, run: ModelRun) -> SafeString | str:
        own, popular = run.metrics.get("own"), run.metrics.get("popular") or {}
        if not own:
            return "—"
        names = {
            "ndcg": gettext("NDCG@20"), "recall": gettext("Recall@20"), "hit_rate": gettext("Hit rate"),
            "coverage": gettext("Catalog coverage"),
        }  # fmt: skip
        rows = format_html_join(
            "", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>",
            ((names.get(name, name), _figure(own[name]), _figure(popular.get(name))) for name in own),
        )  # fmt: skip
        return format_html(
            "<table class='figures'><thead><tr><th></th><th scope='col'>{}</th><th scope='col'>{}</th></tr>"
            "</thead><tbody>{}</tbody></table>",
            gettext("This model"), gettext("Most popular"), rows,
        )  # fmt: skip

    @action(
        description=_("Train a model"), url_path="train", permissions=["train"], icon="model_training",
        dialog={
            "title": _("Train a model"),
            "description": _("It is judged on the latest events, and serves only when it is surely better."),
            "form_class": TrainForm,
            "form_submit_text": _("Train"),
        },
    )  # fmt: skip
    def train(self, request: HttpRequest, form: TrainForm) -> HttpResponse:
        run = services.train(algorithm=form.cleaned_data["algorithm"], actor=actor_name(request))
        transaction.on_commit(lambda: tasks.train_model.delay(run.pk))
        messages.success(request, _("Training has started; this page shows how far it is."))
        return _go(request, reverse("admin:recommender_modelrun_change", args=[run.pk]))

    @action(
        description=_("Back to the previous champion"), url_path="roll-back", permissions=["promote"],
        icon="undo",
        dialog={
            "title": _("Back to the previous champion"),
            "description": _("The champion before the present one serves again at once."),
            "form_class": ReasonForm,
            "form_submit_text": _("Go back"),
        },
    )  # fmt: skip
    def roll_back(self, request: HttpRequest, form: ReasonForm) -> HttpResponse:
        try:
            run = services.roll_back(actor=actor_name(request), reason=form.cleaned_data["reason"])
            messages.success(request, _("%(model)s serves again.") % {"model": self.title(run)})
        except ProblemError as error:
            messages.error(request, str(error))
        return _go(request, reverse("admin:recommender_modelrun_changelist"))

    @action(
        description=_("Promote"), url_path="promote", permissions=["promote"], icon="trophy",
        dialog={
            "title": _("Promote this model"),
            "description": _("It serves from now on. Your reason is kept with it."),
            "form_class": ReasonForm,
            "form_submit_text": _("Promote"),
        },
    )  # fmt: skip
    def promote(self, request: HttpRequest, form: ReasonForm, object_id: int) -> HttpResponse:
        run = get_object_or_404(ModelRun, pk=object_id)
        try:
            services.promote(run, actor=actor_name(request), reason=form.cleaned_data["reason"])
            messages.success(request, _("%(model)s serves from now on.") % {"model": self.title(run)})
        except ProblemError as error:
            messages.error(request, str(error))
        return _go(request, reverse("admin:recommender_modelrun_change", args=[object_id]))


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """The dialog is sent by htmx, which follows this header with a whole page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def _title(algorithm: str) -> str:
    try:
        return gettext(algorithms.get(algorithm).title)
    except algorithms.UnknownAlgorithmError:
        return algorithm


def _figure(estimate: dict[str, float | None] | None) -> str:
    """'0.312 (0.295 … 0.330)', or a dash for what could not be computed."""
    if not estimate:
        return "—"
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} … {estimate['high']:.3f})"
