"""The page that starts a training, and the button that ends one."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from recommender import services, tasks
from recommender.algorithms import UnknownAlgorithmError
from recommender.evaluation.tuning import AUTO
from recommender.models import ModelRun
from recommender.pages import advice
from recommender.pages.training_form import TrainingForm, initial_of


@require_http_methods(["GET", "POST"])
@staff_page("recommender.add_modelrun")
def train(request: HttpRequest) -> HttpResponse:
    """The form, empty or with the recipe of the run in `from`; a POST queues the training."""
    if request.method == "GET":
        return _page(request, TrainingForm(initial=_initial(request)))
    form = TrainingForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        run = services.train(actor=actor_name(request), **form.kwargs)
    except ProblemError as error:
        form.add_error(None, error.detail)
        return _page(request, form, status=422)
    transaction.on_commit(lambda: tasks.train_model.delay(run.pk))
    messages.success(request, _("Training has started; this page shows how far it is."))
    return redirect("recommender:run", run.pk)


@require_POST
@staff_page("recommender.add_modelrun")
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        services.cancel(get_object_or_404(ModelRun, pk=run_id), actor=actor_name(request))
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("recommender:run", run_id)


@require_GET
@staff_page("recommender.add_modelrun")
def parameters(request: HttpRequest) -> HttpResponse:
    """The part of the form that depends on the algorithm, when another one was chosen."""
    form = TrainingForm(initial={"algorithm": request.GET.get("algorithm", AUTO)})
    return render(request, "recommender/parameters.html", _context(form))


def _page(request: HttpRequest, form: TrainingForm, *, status: int = 200) -> HttpResponse:
    return render_page(
        request, "recommender/train.html", _context(form), title=_("Train a recommender"), status=status
    )


def _context(form: TrainingForm) -> dict[str, Any]:
    try:
        found = advice.row(form["algorithm"].value() or AUTO)
    except UnknownAlgorithmError:
        found = None
    return {"form": form, "advice": found, "is_auto": form.kind is None}


def _initial(request: HttpRequest) -> dict[str, Any]:
    source = request.GET.get("from", "")
    run = ModelRun.objects.defer("item_ids").filter(pk=int(source)).first() if source.isdigit() else None
    if run is not None:
        return initial_of(run.algorithm, run.parameters)
    return {"algorithm": request.GET.get("algorithm", AUTO)}
