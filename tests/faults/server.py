"""The server: what it is asked, what it answers, and a door that can be shut."""

import gzip
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from threading import Event, Lock, Thread, Timer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from tests.faults.dialects import BadLine, Dialect, Reply
from tests.influxd import Influx

POISON = b"project_id=poison"


class Visit:
    """One request, from its coming on."""

    def __init__(self, server: "FaultServer", handler: "_Handler") -> None:
        self.server = server
        self.handler = handler
        self.method = handler.command
        self.target = handler.path
        self.headers = handler.headers
        self.time = time.monotonic()
        self.body = b""
        """As it came."""
        self.lines: list[bytes] = []
        self.status: int | None = None
        """What was answered, if anything was."""

    @property
    def length(self) -> int:
        return int(self.headers["Content-Length"])

    def read(self) -> None:
        if not self.body:
            self.body = self.handler.rfile.read(self.length)
            zipped = self.headers["Content-Encoding"] == "gzip"
            self.lines = (gzip.decompress(self.body) if zipped else self.body).splitlines(keepends=True)

    def store(self) -> Reply:
        """What a healthy server does."""
        self.read()
        dialect = self.server.dialect
        url = urlsplit(self.target)
        if url.path != dialect.path:
            return Reply(404, b"404 page not found\n")
        if self.headers["Authorization"] != dialect.authorization:
            return dialect.error(401, "unauthorized access")
        return dialect.objection(url.query) or self.server.keep(self.lines)

    def reset(self) -> None:
        """Ends the connection, as a crash does."""
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.close_connection = True


Fault = Callable[[Visit], Reply | None]
"""Treats a write request in another way than to store it; with None there is no answer."""


class FaultServer:
    """Answers as one version of InfluxDB does, and keeps good lines in a database of a real server.

    `script` tells what befalls each write request, in the order of their coming; then the server is well.
    Lines that are `bad` and requests of more than `most_bytes` are always refused.
    """

    def __init__(
        self,
        dialect: Dialect,
        influx: Influx,
        database: str,
        *script: Fault,
        most_bytes: int = 1 << 30,
        pings: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.dialect = dialect
        self.bad: Callable[[bytes], bool] = lambda line: POISON in line
        self.tls = tls
        self.pings = pings
        self.script = list(script)
        self.requests: list[Visit] = []
        self.closing = Event()
        self._influx = influx
        self._database = influx.database(database)
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._door = _Door(self, 0)
        self.port: int = self._door.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which the program finds it."""
        return {"INFLUX_URL": self.url, **self.dialect.environment}

    @property
    def writes(self) -> list[Visit]:
        return [request for request in self.requests if request.method == "POST"]

    def open(self) -> None:
        """From now on connections are taken."""
        with self._lock:
            if not self.closing.is_set() and not self._door.is_open:
                self._door.open()

    def shut(self) -> None:
        """From now on connections are refused; the port stays ours."""
        with self._lock:
            if self._door.is_open:
                self._door.close()
                self._door = _Door(self, self.port)

    def open_after(self, seconds: float) -> None:
        timer = Timer(seconds, self.open)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        self.closing.set()
        self._door.close()

    def next_fault(self) -> Fault:
        with self._lock:
            return self.script.pop(0) if self.script else Visit.store

    def visit(self, handler: "_Handler") -> Visit:
        visit = Visit(self, handler)
        with self._lock:
            self.requests.append(visit)
        return visit

    def keep(self, lines: Sequence[bytes]) -> Reply:
        """Stores the lines, or says what is wrong with them."""
        if sum(map(len, lines)) > self._most_bytes:
            return self.dialect.error(413, "the request is too large")
        bad = [BadLine(number, line) for number, line in enumerate(lines, 1) if self.bad(line)]
        if bad and not self.dialect.stores_rest:
            return self.dialect.refusal(bad)
        refused = self._forward(b"".join(line for line in lines if not self.bad(line)))
        if refused is None and bad:
            return self.dialect.refusal(bad)
        return refused or Reply(204)

    def _forward(self, lines: bytes) -> Reply | None:
        try:
            self._influx.ask(f"/write?{urlencode({'db': self._database, 'precision': 'ns'})}", lines)
        except HTTPError as refusal:
            return Reply(refusal.code, refusal.read())
        return None


@contextmanager
def serving(*args: Any, is_open: bool = True, **more: Any) -> Iterator[FaultServer]:
    server = FaultServer(*args, **more)
    if is_open:
        server.open()
    try:
        yield server
    finally:
        server.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Door"

    def do_GET(self) -> None:
        owner = self.server.owner
        known = {"/health": owner.dialect.health} | ({"/ping": owner.dialect.ping} if owner.pings else {})
        reply = known.get(self.path, lambda: Reply(404, b"404 page not found\n"))()
        if owner.dialect.version == 3 and self.headers["Authorization"] != owner.dialect.authorization:
            reply = owner.dialect.error(401, "unauthorized access")
        self.answer(owner.visit(self), reply)

    def do_POST(self) -> None:
        owner = self.server.owner
        visit = owner.visit(self)
        reply = owner.next_fault()(visit)
        if reply:
            self.answer(visit, reply)
        else:
            self.close_connection = True

    def answer(self, visit: Visit, reply: Reply) -> None:
        visit.status = reply.status
        self.send_response(reply.status)
        headers = dict(reply.headers)
        if reply.status != 204:
            headers.setdefault("Content-Length", str(len(reply.body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        pass


class _Door(ThreadingMixIn, HTTPServer):
    """A bound port, which takes connections once it is open."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: FaultServer, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=False)
        self.owner = owner
        self.is_open = False
        self._guests: set[socket.socket] = set()
        self.server_bind()

    def open(self) -> None:
        self.is_open = True
        self.server_activate()
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Nobody comes in, and whoever is in has to go."""
        if self.is_open:
            self.shutdown()
        self.server_close()
        for guest in list(self._guests):
            with suppress(OSError):
                guest.shutdown(socket.SHUT_RDWR)

    def get_request(self) -> tuple[socket.socket, Any]:
        guest, address = super().get_request()
        if self.owner.tls:
            guest = self.owner.tls.wrap_socket(guest, server_side=True, do_handshake_on_connect=False)
        self._guests.add(guest)
        return guest, address

    def shutdown_request(self, request: Any) -> None:
        """Without the polite farewell, which would come before a reset."""
        self._guests.discard(request)
        self.close_request(request)

    def handle_error(self, *_: Any) -> None:
        """A client that leaves, or does not trust us, is not worth a word."""
