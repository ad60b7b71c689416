"""A weights server on 127.0.0.1 that can cut, corrupt, refuse, redirect and dawdle."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
import time
from dataclasses import dataclass, field

FILE = "efficienttam_ti_512x512.pt"


@dataclass
class Faults:
    """What goes wrong, as long as it is set; ``cut_after`` and ``statuses`` are used up."""

    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    corrupt: bool = False
    no_range: bool = False
    no_validator: bool = False
    no_linked_etag: bool = False
    redirect: bool = False
    seconds_per_block: float = 0.0


@dataclass(frozen=True)
class Request:
    path: str
    range: str | None
    if_range: str | None
    user_agent: str


class LoopbackHub:
    """Serves ``files`` (name -> bytes) with ETag, X-Linked-Etag = sha256 and ranges."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.faults = Faults()
        self.requests: list[Request] = []
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = ("127.0.0.1", int(self._server.server_address[1]))
        self.url = f"http://127.0.0.1:{self.address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: LoopbackHub

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        hub, faults = self.owner, self.owner.faults
        headers = self.headers
        hub.requests.append(Request(self.path, headers["Range"], headers["If-Range"], headers["User-Agent"]))
        name = self.path.rsplit("/", 1)[1]
        if faults.statuses:
            return self._empty(faults.statuses.pop(0))
        if name not in hub.files:
            return self._empty(404)
        data = hub.files[name]
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        if faults.redirect and not self.path.startswith("/cdn/"):
            return self._empty(302, {"Location": f"/cdn/{name}", "X-Linked-Etag": etag})
        self._send(data, etag, faults)

    def _send(self, data: bytes, etag: str, faults: Faults) -> None:
        wanted = re.match(r"bytes=(\d+)-", self.headers["Range"] or "")
        start = int(wanted.group(1)) if wanted and self.headers["If-Range"] in (None, etag) else 0
        if faults.no_range:
            start = 0
        if start >= len(data):
            return self._empty(416, {"Content-Range": f"bytes */{len(data)}"})
        body = b"\x00" * 100 + data[100:] if faults.corrupt else data
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if not faults.no_validator:
            self.send_header("ETag", etag)
        if not (faults.no_linked_etag or self.path.startswith("/cdn/")):
            self.send_header("X-Linked-Etag", etag)
        self.end_headers()
        end = faults.cut_after.pop(0) if faults.cut_after else len(data)
        self._trickle(body[start:end], faults.seconds_per_block)
        if end < len(data):
            self.close_connection = True

    def _trickle(self, body: bytes, seconds: float) -> None:
        step = 1 << 16 if seconds else max(len(body), 1)
        try:
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                self.wfile.flush()
                time.sleep(seconds)
        except OSError:
            self.close_connection = True

    def _empty(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
