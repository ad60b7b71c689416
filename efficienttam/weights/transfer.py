"""One file over HTTP into a part file that a later process can continue.

Beside ``name.part`` lies ``name.part.json``: the URL and the validator (ETag or Last-Modified) its
bytes belong to. A resumed request carries ``Range`` and ``If-Range``; a server that cannot or will
not continue sends everything, and we start again.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from ..contract.errors import WeightsError

#: Called with (bytes so far, total bytes or None). May raise to stop; what is there stays.
Progress = Callable[[int, "int | None"], None]

_BLOCK = 1 << 18
_RETRY_STATUS = {408, 425, 429, 500, 502, 503, 504}
_SHA256 = re.compile(r'^"?([0-9a-f]{64})"?$')


@dataclass(frozen=True)
class Patience:
    """``timeout`` seconds for every wait on the network, ``attempts`` in all, ``pause`` seconds
    after the first failed one and twice as long after each further one."""

    timeout: float = 30.0
    attempts: int = 5
    pause: float = 1.0


class _Interrupted(Exception):
    """A failure that another attempt may cure. ``after`` is the server's wish in seconds."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects and keeps what the first server says about the file it points to."""

    def __init__(self) -> None:
        self.linked: dict[str, str] = {}

    def note(self, headers: Message) -> None:
        for name in ("X-Linked-Etag", "X-Linked-Size"):
            if name in headers:
                self.linked.setdefault(name, headers[name])

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        self.note(headers)
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise WeightsError(
                f"{req.full_url} redirects to {newurl}, which is not encrypted.",
                "Use another source of the weights.",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def notes_path(part: Path) -> Path:
    """Where the URL and validator of a part file are written down."""
    return part.with_name(part.name + ".json")


def discard(part: Path) -> None:
    """Remove a part file and its notes."""
    part.unlink(missing_ok=True)
    notes_path(part).unlink(missing_ok=True)


def fetch(
    url: str, part: Path, *, agent: str, patience: Patience, progress: Progress | None = None
) -> str | None:
    """Bring ``url`` into ``part`` whole, continuing what an earlier process left there.

    Returns the sha256 the server states for the file (``X-Linked-Etag``), or None. Raises
    WeightsError when the server refuses, the attempts are used up or the disk cannot take it.
    """
    pause = patience.pause
    for attempt in range(1, patience.attempts + 1):
        try:
            return _attempt(url, part, agent, patience.timeout, progress)
        except _Interrupted as interruption:
            if attempt == patience.attempts:
                raise WeightsError(
                    f"{url} could not be fetched in {attempt} attempts: {interruption}.",
                    "Try again later (what was fetched is kept and continued), or name another source.",
                ) from interruption
            time.sleep(min(max(pause, interruption.after), 60.0))
            pause *= 2
    raise ValueError("at least one attempt is needed")


def _attempt(url: str, part: Path, agent: str, timeout: float, progress: Progress | None) -> str | None:
    offset, validator = _resume_point(url, part)
    request = urllib.request.Request(url, headers={"User-Agent": agent, "Accept-Encoding": "identity"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
        request.add_header("If-Range", validator)
    redirects = _Redirects()
    try:
        with urllib.request.build_opener(redirects).open(request, timeout=timeout) as response:
            redirects.note(response.headers)
            start = _accepted_start(response, offset, validator, part)
            total = _total(response, start, redirects.linked)
            _receive(response, url, part, start, total, progress)
    except urllib.error.HTTPError as error:
        if not _already_whole(error, offset):
            raise _refusal(error, url, part) from error
        total = offset
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise _Interrupted(str(reason) or type(reason).__name__) from error
    size = part.stat().st_size
    if total is not None and size != total:
        raise _Interrupted(f"the connection ended after {size} of {total} bytes")
    match = _SHA256.match(redirects.linked.get("X-Linked-Etag", ""))
    return match.group(1) if match else None


def _already_whole(error: urllib.error.HTTPError, offset: int) -> bool:
    return offset > 0 and error.code == 416 and error.headers.get("Content-Range", "") == f"bytes */{offset}"


def _resume_point(url: str, part: Path) -> tuple[int, str]:
    try:
        notes = json.loads(notes_path(part).read_text(encoding="utf-8"))
        offset = part.stat().st_size
    except (OSError, ValueError):
        return 0, ""
    if not isinstance(notes, dict) or notes.get("url") != url or not notes.get("validator"):
        return 0, ""
    return offset, str(notes["validator"])


def _validator(headers: Message) -> str:
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified", "")


def _accepted_start(response: http.client.HTTPResponse, offset: int, validator: str, part: Path) -> int:
    if response.status != 206:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if match and int(match.group(1)) == offset and _validator(response.headers) in ("", validator):
        return offset
    discard(part)
    raise _Interrupted("the server continued another file than the one begun")


def _total(response: http.client.HTTPResponse, start: int, linked: dict[str, str]) -> int | None:
    length = response.headers.get("Content-Length", "")
    if length.isdigit():
        return start + int(length)
    size = linked.get("X-Linked-Size", "")
    return int(size) if size.isdigit() else None


def _receive(
    response: http.client.HTTPResponse,
    url: str,
    part: Path,
    start: int,
    total: int | None,
    progress: Progress | None,
) -> None:
    with _writing(part, "ab" if start else "wb") as stream:
        if not start:
            notes = {"url": url, "validator": _validator(response.headers)}
            with _writing(notes_path(part), "wb") as paper:
                _write(paper, json.dumps(notes).encode(), part)
        done = start
        if progress:
            progress(done, total)
        while block := response.read(_BLOCK):
            _write(stream, block, part)
            done += len(block)
            if progress:
                progress(done, total)


def _writing(part: Path, mode: str) -> IO[bytes]:
    try:
        return open(part, mode)
    except OSError as error:
        raise _unwritable(part, error) from error


def _write(stream: IO[bytes], block: bytes, part: Path) -> None:
    try:
        stream.write(block)
        stream.flush()
    except OSError as error:
        raise _unwritable(part, error) from error


def _unwritable(part: Path, error: OSError) -> WeightsError:
    return WeightsError(
        f"{part} cannot be written: {error.strerror or error}.",
        "Free some disk space or choose another folder; what was fetched is kept.",
    )


def _refusal(error: urllib.error.HTTPError, url: str, part: Path) -> Exception:
    if error.code == 416:
        discard(part)
        return _Interrupted("the server has fewer bytes than were fetched before")
    if error.code in _RETRY_STATUS:
        after = error.headers.get("Retry-After", "")
        return _Interrupted(f"the server answered {error.code}", float(after) if after.isdigit() else 0.0)
    remedy = {
        404: "Check the base URL of your mirror: the file must lie directly under it.",
        401: "Use a source that needs no login, or download the file by hand and give its path.",
        403: "Use a source that needs no login, or download the file by hand and give its path.",
        407: "Set the login of your proxy in https_proxy.",
    }.get(error.code, "Name another source of the weights, or download the file by hand.")
    return WeightsError(f"{url} was refused: {error.code} {error.reason}.", remedy)
