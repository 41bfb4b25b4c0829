"""What takes time, told to OpenTelemetry: spans and figures; nothing at all until `use` was called.

`personalization.config.telemetry` calls it where OTEL_EXPORTER_OTLP_ENDPOINT is set. Attributes are ids of
rows, names of routes and tasks, hosts and numbers: never personal data, never the text of an error.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter
    from opentelemetry.trace import Tracer

Attributes = Mapping[str, str | int | float | bool]
_OFF: AbstractContextManager[None] = nullcontext()
# Seconds; the bounds that OpenTelemetry's conventions name for HTTP, and longer ones for tasks.
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300, 1800)


class _Target:
    tracer: "Tracer | None" = None
    meter: "Meter | None" = None
    instruments: dict[str, Any] = {}


def use(tracer: "Tracer | None", meter: "Meter | None") -> None:
    """From here on, in this process, spans and figures go there; None, None: nowhere."""
    _Target.tracer, _Target.meter, _Target.instruments = tracer, meter, {}


def is_on() -> bool:
    return _Target.tracer is not None


def span(
    name: str, attributes: Attributes, *, kind: str = "INTERNAL", carrier: Any = None, started_ns: int = 0
) -> AbstractContextManager[None]:
    """What runs inside is a span: a child of the one that is open, or of the one in the headers `carrier`.

    `kind`: INTERNAL, SERVER, CLIENT or CONSUMER. `started_ns`: when it began already, since 1970; 0: now.
    An exception passes through and leaves the name of its type.
    """
    return _span(name, attributes, kind, carrier, started_ns) if _Target.tracer is not None else _OFF


@contextmanager
def _span(name: str, attributes: Attributes, kind: str, carrier: Any, started_ns: int) -> Iterator[None]:
    from opentelemetry.trace import SpanKind, StatusCode

    assert _Target.tracer is not None
    with _Target.tracer.start_as_current_span(
        name,
        context=_propagator().extract(carrier) if carrier else None,
        kind=SpanKind[kind],
        attributes=attributes,
        start_time=started_ns or None,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(StatusCode.ERROR)
            raise


def note(attributes: Attributes, *, name: str = "", failed: bool = False) -> None:
    """Adds to the span that is open, renames it, or says that it failed."""
    if _Target.tracer is None:
        return
    from opentelemetry.trace import StatusCode, get_current_span

    current = get_current_span()
    current.set_attributes(attributes)
    if name:
        current.update_name(name)
    if failed:
        current.set_status(StatusCode.ERROR)


def inject(carrier: dict[str, Any]) -> None:
    """Writes the open span into headers (`traceparent`, W3C Trace Context)."""
    if _Target.tracer is not None:
        _propagator().inject(carrier)


def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()


def count(name: str, amount: int, attributes: Attributes) -> None:
    if _Target.meter is not None:
        counter: Counter = _Target.instruments.get(name) or _Target.meter.create_counter(name)
        _Target.instruments[name] = counter
        counter.add(amount, attributes)


def measure(name: str, seconds: float, attributes: Attributes) -> None:
    if _Target.meter is not None:
        histogram: Histogram = _Target.instruments.get(name) or _Target.meter.create_histogram(
            name, unit="s", explicit_bucket_boundaries_advisory=_BOUNDS
        )
        _Target.instruments[name] = histogram
        histogram.record(seconds, attributes)
