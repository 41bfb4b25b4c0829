"""What every Celery task gets: its name, its id and the id of the request that asked for it in its log lines,
and a span under the one that sent it, where traces are on."""

import time
from typing import Any

import structlog
from celery import Task

from personalization import tracing
from personalization.config.telemetry import sql_clock

REQUEST_ID = "request_id"


class BespokeTask(Task):
    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        """Also sends the ids of whoever asks, in the message's headers."""
        options["headers"] = {**(options.get("headers") or {}), **_origin()}
        return super().apply_async(args, kwargs, *rest, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        headers = self.request.headers or {}
        about = {"task": self.name, "task_id": self.request.id, REQUEST_ID: headers.get(REQUEST_ID)}
        with structlog.contextvars.bound_contextvars(**{key: value for key, value in about.items() if value}):
            if not tracing.is_on():
                return self.run(*args, **kwargs)
            return self._traced(headers, args, kwargs)

    def _traced(self, headers: dict[str, Any], args: Any, kwargs: Any) -> Any:
        started, failed = time.monotonic(), True
        attributes = {"bespoke.task": self.name, "bespoke.task_id": self.request.id or ""}
        try:
            with tracing.span(self.name, attributes, kind="CONSUMER", carrier=headers), sql_clock():
                answer = self.run(*args, **kwargs)
                failed = False
                return answer
        finally:
            duration = time.monotonic() - started
            tracing.measure("bespoke.task.duration", duration, {"task": self.name, "failed": failed})


def _origin() -> dict[str, str]:
    carried: dict[str, str] = {}
    tracing.inject(carried)
    request_id = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return carried | ({REQUEST_ID: request_id} if request_id else {})
