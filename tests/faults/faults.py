"""What can befall a write request."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.faults.dialects import Reply
from tests.faults.server import Fault, Visit

HTML = b"<html><body><h1>Sorry</h1><p>sign in &amp; try again</p></body></html>"


healthy: Fault = Visit.store
"""Nothing befalls it: the lines are stored."""


def answers(status: int, body: bytes = b"", **headers: str) -> Fault:
    """An answer that has nothing to do with what was asked; nothing is stored."""

    def fault(visit: Visit) -> Reply:
        visit.read()
        return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


def page(status: int) -> Fault:
    """A page for people, as proxies show it."""
    return answers(status, HTML, Content_Type="text/html")


def busy(status: int, retry_after: str | None = None) -> Fault:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    return answers(status, b'{"code":"too many requests","message":"slow down"}', **headers)


def http_date(seconds: float) -> str:
    """A moment so many seconds from now."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def lost_answer(visit: Visit) -> None:
    """The lines are stored, and nobody is told."""
    visit.store()
    visit.reset()


def cut_answer(visit: Visit) -> None:
    """The lines are stored, and half of the status line is told."""
    visit.store()
    visit.handler.wfile.write(b"HTTP/1.1 2")
    visit.handler.close_connection = True


def garbage(visit: Visit) -> None:
    """What answers is no HTTP server."""
    visit.read()
    visit.handler.wfile.write(b"\x00\xff\xfe 220 smtp ready\r\n\r\n")
    visit.handler.close_connection = True


def torn(visit: Visit) -> None:
    """The connection is lost in the middle of the request."""
    visit.handler.rfile.read(visit.length // 2)
    visit.reset()


def reset(visit: Visit) -> None:
    """The connection is lost before anything of the lines is read."""
    visit.reset()


def refused(seconds: float) -> Fault:
    """Nobody listens for a while."""

    def fault(visit: Visit) -> None:
        visit.reset()
        visit.server.shut()
        visit.server.open_after(seconds)

    return fault


def hangs(visit: Visit) -> None:
    """No answer ever comes."""
    visit.read()
    visit.server.closing.wait()


def slow(visit: Visit) -> None:
    """The answer comes a byte at a time."""
    reply = visit.store()
    visit.status = reply.status
    _drip(
        visit, b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (reply.status, len(reply.body)) + reply.body
    )


def endless(beginning: bytes) -> Fault:
    """An answer that begins and never ends, though it never pauses for long."""

    def fault(visit: Visit) -> None:
        visit.read()
        visit.handler.wfile.write(beginning)
        _drip(visit, b"x" * 100_000)

    return fault


def _drip(visit: Visit, data: bytes) -> None:
    with suppress(OSError):
        for byte in data:
            visit.handler.wfile.write(bytes([byte]))
            time.sleep(0.01)
            if visit.server.closing.is_set():
                return
