"""Pages and assets go out compressed. What the API answers does not: it is small, and asked for often."""

import gzip
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

ASSETS = ("text/", "application/javascript", "application/json", "image/svg+xml")


class CompressionMiddleware(GZipMiddleware):
    """Stands before the middleware that serves assets. Each asset is compressed once in a process."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self.assets: dict[str, tuple[str, bytes]] = {}  # path → (ETag of the file, compressed)

    def process_request(self, request: HttpRequest) -> None:
        # What went out compressed comes back with a weak ETag; the file's own is strong.
        if known := request.META.get("HTTP_IF_NONE_MATCH"):
            request.META["HTTP_IF_NONE_MATCH"] = known.removeprefix("W/")

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        kind = response.get("Content-Type", "")
        if isinstance(response, FileResponse):
            is_asset = request.path_info.startswith(settings.STATIC_URL) and kind.startswith(ASSETS)
            return self.compress_asset(request, response) if is_asset else response
        return super().process_response(request, response) if kind.startswith("text/html") else response

    def compress_asset(self, request: HttpRequest, response: FileResponse) -> FileResponse:
        patch_vary_headers(response, ["Accept-Encoding"])
        etag = response.get("ETag")
        wanted = "gzip" in request.headers.get("Accept-Encoding", "")
        if not wanted or not etag or request.method != "GET" or response.status_code != 200:
            return response
        known, content = self.assets.get(request.path_info, ("", b""))
        if known != etag:
            content = gzip.compress(response.getvalue(), mtime=0)
            self.assets[request.path_info] = (etag, content)
        response.streaming_content = [content]
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = len(content)
        response["ETag"] = f"W/{etag}"
        return response
