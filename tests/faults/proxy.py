"""A small HTTP proxy in front of one server, whatever address it is asked for. It demands a password."""

import select
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.support import PATIENCE

USER, PASSWORD = "worker", "pr0xy-s3cret"
AUTHORIZATION = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.asked: list[str] = []
        """The addresses that it was asked for."""
        self.url = f"http://{USER}:{PASSWORD}@127.0.0.1:{self.server_address[1]}"


@contextmanager
def proxying(port: int) -> Iterator[Proxy]:
    """A proxy before the server at a port."""
    proxy = Proxy(port)
    Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_CONNECT(self) -> None:
        if self._may():
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            with socket.create_connection(("127.0.0.1", self.server.behind)) as other:
                _relay(self.connection, other)

    def _may(self) -> bool:
        self.server.asked.append(self.path)
        if self.headers["Proxy-Authorization"] == AUTHORIZATION:
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if not self._may():
            return
        url = urlsplit(self.path)
        connection = HTTPConnection("127.0.0.1", self.server.behind, timeout=PATIENCE)
        connection.request(self.command, f"{url.path}?{url.query}".rstrip("?"), body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def log_message(self, *_: object) -> None:
        pass


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Passes bytes both ways until one side ends."""
    while True:
        for source in select.select([one, other], [], [])[0]:
            data = source.recv(1 << 16)
            if not data:
                return
            (other if source is one else one).sendall(data)
