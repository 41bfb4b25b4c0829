"""What an OpenTelemetry collector is to a client: an HTTP server that takes OTLP's protobuf and keeps it."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

KINDS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector:
    def __init__(self) -> None:
        self.received: dict[str, list[Any]] = {path: [] for path in KINDS}
        self.raw = b""
        received, collector = self.received, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                received[self.path].append(KINDS[self.path].FromString(body))
                collector.raw += body
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def spans(self) -> list[Span]:
        return list(self._spans())

    def _spans(self) -> Iterator[Span]:
        for request in self.received["/v1/traces"]:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    yield from scope.spans

    def figures(self) -> dict[str, list[Any]]:
        """The points of each figure by its name."""
        found: dict[str, list[Any]] = {}
        for request in self.received["/v1/metrics"]:
            for resource in request.resource_metrics:
                for metric in (one for scope in resource.scope_metrics for one in scope.metrics):
                    points = getattr(metric, metric.WhichOneof("data")).data_points
                    found.setdefault(metric.name, []).extend(points)
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}
