"""OpenTelemetry's exporters, the span of a request, and what SQL took inside of a request or task.

Everything beyond the address (headers, sampling, names, time-outs) is read by the SDK from variables of its
own. The threads that export do not live on in a forked process, so each process starts its own.
"""

import multiprocessing.util
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from personalization import tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

# A span of each scrape and sign of life would bury the others.
UNTRACED = ("/healthz", "/readyz", "/metrics", "/static/")
OTHER_METHOD = "_OTHER"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _Providers:
    tracer: "TracerProvider | None" = None
    meter: "MeterProvider | None" = None


def start(process: str) -> None:
    """Begins to export from this process (`process`: web or worker), if the settings name where to."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT or _Providers.tracer is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    names = {"service.name": "bespoke", "process.title": process}
    resource = Resource.create(names).merge(OTELResourceDetector().detect())
    _Providers.tracer = TracerProvider(resource=resource, shutdown_on_exit=False)
    _Providers.tracer.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _Providers.meter = MeterProvider(
        [PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource, shutdown_on_exit=False
    )
    tracing.use(_Providers.tracer.get_tracer("bespoke"), _Providers.meter.get_meter("bespoke"))
    # Also in the processes of the web server, which end without the interpreter's own end.
    multiprocessing.util.Finalize(None, stop, exitpriority=10)


def stop() -> None:
    """Sends what waits, and exports no more."""
    tracing.use(None, None)
    for provider in (_Providers.tracer, _Providers.meter):
        if provider is not None:
            provider.shutdown()
    _Providers.tracer = _Providers.meter = None


class TracingMiddleware:
    """One span and one duration for each request: by route, never by path, which may hold a customer's id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(UNTRACED):
            return self.get_response(request)
        method = request.method if request.method in METHODS else OTHER_METHOD
        carrier = {"traceparent": request.headers.get("traceparent", "")}
        started = time.monotonic()
        with tracing.span(str(method), {}, kind="SERVER", carrier=carrier), sql_clock():
            response = self.get_response(request)
            route = request.resolver_match.route if request.resolver_match else ""
            figures: dict[str, str | int] = {
                "http.request.method": str(method),
                "http.response.status_code": response.status_code,
            }
            if route:
                figures["http.route"] = route
            tracing.note(
                figures | {"bespoke.request_id": response.get("X-Request-Id", "")},
                name=f"{method} {route}".strip(),
                failed=response.status_code >= 500,
            )
        tracing.measure("http.server.request.duration", time.monotonic() - started, figures)
        return response


class _Clock:
    statements = 0
    seconds = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.monotonic()
        try:
            return execute(sql, params, many, context)
        finally:
            self.statements += 1
            self.seconds += time.monotonic() - started


@contextmanager
def sql_clock() -> Iterator[None]:
    """Tells the open span how many statements this thread ran inside, and the seconds of all; COPY and other
    threads are not counted."""
    clock = _Clock()
    try:
        with connection.execute_wrapper(clock):
            yield
    finally:
        tracing.note({"bespoke.sql.count": clock.statements, "bespoke.sql.seconds": round(clock.seconds, 6)})
