"""Structured logs: JSON lines in production, readable ones on a laptop. Never personal data."""

import logging
import logging.config
import re

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# PostgreSQL tells whole rows in these lines of its errors, and libraries tell addresses in theirs.
_ROWS = re.compile(r"^(DETAIL|CONTEXT|QUERY):.*(\n(?=\t| ).*)*", re.MULTILINE)
_LITERALS = re.compile(r"^LINE \d+:.*\n\s*\^", re.MULTILINE)
_ADDRESS = re.compile(r"[^\s\"'<>,;:(){}\[\]/]+@[^\s\"'<>,;:(){}\[\]/]+\.\w+")
# The shop's own id of a customer may be a name.
_CUSTOMER = re.compile(r"(/customers/)(?!count\b|batch\b)[^/\s\"?]+")


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last word before a line is written: what slipped into messages and tracebacks is taken out."""
    return {name: _clean(value) if isinstance(value, str) else value for name, value in event.items()}


def _clean(text: str) -> str:
    text = _LITERALS.sub("LINE …", _ROWS.sub(r"\1: …", text))
    return _CUSTOMER.sub(r"\1…", _ADDRESS.sub("…@…", text))


def configure(*, json: bool, level: str = "INFO") -> None:
    """Routes structlog and the standard library through one formatter on standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "main": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        without_personal_data,
                        renderer,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "main"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "celery": {"level": "WARNING"},
                "amqp": {"level": "WARNING"},
                # A collector that is down is told once for each batch that is lost, not for each new try.
                "opentelemetry.exporter": {"level": "ERROR"},
            },
        }
    )
