"""Staff pages of imports: upload, map, look, try, start, watch, and fetch what was rejected."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from personalization.access.actors import actor_labels
from personalization.access.live.part import live_part
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name, audit
from personalization.access.shell import render_page, staff_page
from personalization.access.time_left import time_left
from personalization.importing.reading import UnreadableFile
from personalization.importing.rejects import sheet
from personalization.sources import services, tasks
from personalization.sources.errors import NoColumn
from personalization.sources.kinds import importer_for
from personalization.sources.labels import label_of, say_fault
from personalization.sources.models import Import, ImportStatus, Kind
from personalization.sources.preview import preview

SHOWN = 50
SEPARATORS = [(",", ","), (";", ";"), ("\t", "tab"), ("|", "|")]


@require_http_methods(["GET", "POST"])
@staff_page("sources.view_import")
def imports(request: HttpRequest) -> HttpResponse:
    """All imports; a POST uploads the file of a new one."""
    if request.method == "POST":
        if not request.user.has_perm("sources.add_import"):
            raise PermissionDenied
        upload = request.FILES.get("file")
        if upload is None:
            messages.error(request, _("Choose a file first."))
            return redirect("sources:imports")
        try:
            job = services.take_file(upload, kind=request.POST.get("kind", ""), actor=actor_name(request))
        except ProblemError as error:
            messages.error(request, error.detail)
            return redirect("sources:imports")
        return redirect("sources:import", job.pk)
    jobs = Import.objects.all()[:SHOWN]
    people = actor_labels(job.actor for job in jobs)
    context = {
        "imports": [{"job": job, "by": people[job.actor], **counts_of(job)} for job in jobs],
        "kinds": Kind.choices,
        "can_import": request.user.has_perm("sources.add_import"),
    }
    return render_page(request, "sources/imports.html", context, title=_("Import"))


@require_GET
@staff_page("sources.view_import")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Import, pk=pk)
    can_import = request.user.has_perm("sources.add_import")
    context: dict[str, Any] = {"job": job, "can_import": can_import, **counts_of(job)}
    if job.status == ImportStatus.DRAFT and can_import and job.path:
        context |= _draft(job)
    return render_page(request, "sources/import.html", context, title=job.name)


def _draft(job: Import) -> dict[str, Any]:
    importer = importer_for(job.kind, job.options)
    rest = {"customers": _("keep as a trait"), "items": _("keep as an attribute")}

    def named(fields: Iterable[str]) -> list[str]:
        return [label_of(job.kind, field) for field in fields]

    context: dict[str, Any] = {
        "fields": [(field, label_of(job.kind, field)) for field in importer.fields],
        "required": ", ".join(
            filter(None, [*named(importer.required), _(" or ").join(named(importer.required_one_of))])
        ),
        "rest": rest.get(job.kind, _("keep as a property")),
        "separators": SEPARATORS,
    }
    try:
        context["preview"] = shown = preview(job)
        shown.rows = [(line, cells, say_fault(job.kind, fault)) for line, cells, fault in shown.rows]
        filled = set(shown.mapping.values())
        missing = named(name for name in importer.required if name not in filled)
        if importer.required_one_of and not filled & set(importer.required_one_of):
            missing.append(_(" or ").join(named(importer.required_one_of)))
        context["missing"] = missing
        context["wants_event"] = "event" in importer.required and "event" not in filled
        context["wants_id"] = job.kind == Kind.CUSTOMERS and not missing and "external_id" not in filled
        context["wants_consent"] = job.kind == Kind.CUSTOMERS and "email_consent" not in filled
    except (UnreadableFile, UnicodeError, LookupError, OSError, ProblemError) as error:
        context["unreadable"] = str(error)
    return context


@require_POST
@staff_page("sources.add_import")
def options(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps the mapping as it stands in the form; then looks, tries dry or starts, as the button says."""
    job = get_object_or_404(Import, pk=pk)
    names, chosen = request.POST.getlist("column"), request.POST.getlist("field")
    columns: dict[str, list[str]] = {name: [] for name in importer_for(job.kind, {}).fields}
    if request.POST.get("event", "").strip():
        columns.pop("event", None)
    for name, field in zip(names, chosen, strict=False):
        if field in columns:
            columns[field].append(name)
    told = {
        name: request.POST.get(name, "").strip() or None
        for name in ("event", "unknown_items", "time_zone", "encoding")
    }
    told["separator"] = request.POST.get("separator") or None
    job.options = {"columns": columns} | {name: value for name, value in told.items() if value}
    action = request.POST.get("action", "preview")
    # What was chosen stays chosen, also where something is still missing.
    Import.objects.filter(pk=pk, status=ImportStatus.DRAFT).update(options=job.options)
    try:
        if action == "preview":
            services.set_options(job, job.options)
        else:
            _start(request, job, dry_run=action == "dry")
    except NoColumn:
        pass  # the page says what is missing, by its label
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("sources:import", pk)


def _start(request: HttpRequest, job: Import, *, dry_run: bool) -> None:
    services.start(job, dry_run=dry_run, actor=actor_name(request))
    tasks.run_import.delay(job.pk)


@require_POST
@staff_page("sources.add_import")
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel, go on, start for real after a dry run, or change the mapping after one."""
    job = get_object_or_404(Import, pk=pk)
    action, actor = request.POST.get("action", ""), actor_name(request)
    try:
        if action == "cancel":
            services.cancel(job, actor=actor)
        elif action == "resume":
            services.resume(job, actor=actor)
            tasks.run_import.delay(pk)
        elif action == "start":
            _start(request, job, dry_run=False)
        elif action == "edit":
            services.reopen(job)
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("sources:import", pk)


@require_GET
@staff_page("sources.view_import")
def live(request: HttpRequest, pk: int) -> HttpResponseBase:
    can_import = request.user.has_perm("sources.add_import")
    return live_part(
        request,
        Import.objects.all(),
        pk,
        template="sources/import_live.html",
        context=lambda job: {"job": job, "can_import": can_import, **counts_of(job)},
        is_active=lambda job: job.is_active,
    )


@require_GET
@staff_page("sources.add_import")
def rejects(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The rejected rows hold people's data: who takes them is written down."""
    job = get_object_or_404(Import, pk=pk)
    path = services.rejects_path(pk)
    if not job.rejected or not path.is_file():
        raise Http404
    audit(actor_name(request), "import.rejects_read", f"import:{pk}", rows=job.rejected)
    return StreamingHttpResponse(
        sheet(path),
        content_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="rejected-{pk}.csv"'},
    )


def counts_of(job: Import) -> dict[str, Any]:
    """Share done, and how long it still takes in words."""
    share = job.share_done
    return {
        "share": share,
        "percent": f"{100 * share:.0f} %",
        "other_reasons": job.rejected - sum(one["rows"] for one in job.reasons) if job.reasons else 0,
        "reasons": [(say_fault(job.kind, one["reason"]), one["rows"]) for one in job.reasons],
        "left": time_left(job.started_at, share) if job.is_active else "",
        "has_rejects": bool(job.rejected) and services.rejects_path(job.pk).is_file(),
    }
