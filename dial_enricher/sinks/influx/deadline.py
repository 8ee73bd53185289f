"""An end for every request: urllib3 limits the silence between two bytes of an answer, not all of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer, local
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError


class Deadline:
    """Cuts the connection of a request that takes too long; the thread that waits there sees it break."""

    def __init__(self) -> None:
        self.connection: HTTPConnection | None = None
        """The one that the request uses, as soon as it does."""
        self.passed = False

    def cut(self) -> None:
        self.passed = True
        sock: socket.socket | None = getattr(self.connection, "sock", None)
        if sock is not None:
            with suppress(OSError):  # it is closed already
                sock.shutdown(socket.SHUT_RDWR)


_request = local()
"""The deadline of the request that a thread is at."""


@contextmanager
def deadline(seconds: float) -> Iterator[Deadline]:
    """Within it a thread may make one request."""
    _request.deadline = Deadline()
    timer = Timer(seconds, _request.deadline.cut)
    timer.daemon = True
    timer.start()
    try:
        yield _request.deadline
    finally:
        timer.cancel()


def watch(pools: PoolManager) -> None:
    """Makes a manager use connections that can be cut."""
    pools.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _Watched(HTTPConnection):
    """Can be cut while it connects (by way of a proxy, with TLS: that is many an answer) and ever after."""

    def connect(self) -> None:
        _request.deadline.connection = self
        super().connect()
        if _request.deadline.passed:  # there was nothing to cut yet
            self.close()
            raise ConnectTimeoutError(self, "connected too late")

    def request(self, *arguments: Any, **more: Any) -> None:
        _request.deadline.connection = self
        super().request(*arguments, **more)


class _Https(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https
