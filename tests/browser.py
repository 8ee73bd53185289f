"""A real browser (Chromium), driven over a pipe: what a page draws, says and asks the network for."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support import PATIENCE, Json, needed

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)
"""The last one opens the DevTools protocol on descriptors 3 and 4: JSON texts that end in a zero byte."""


class Page:
    """A page in a browser."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._received = b""
        self._ids = count(1)
        self._session: Json = {}
        self.complaints: list[str] = []
        """Errors and warnings: the page's own, and the browser's about it."""
        self.requests: list[str] = []
        """The addresses of all that was asked for, the page itself first."""
        (target,) = (
            one["targetId"] for one in self.tell("Target.getTargets")["targetInfos"] if one["type"] == "page"
        )
        attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, **parameters: Any) -> Json:
        """Sends a command of the DevTools protocol, and waits for its result."""
        number = next(self._ids)
        command = {"id": number, "method": method, "params": parameters, **self._session}
        os.write(self._to, json.dumps(command).encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            pass
        assert "error" not in answer, answer
        result: Json = answer["result"]
        return result

    def look(self, wide: int, high: int, *, dark: bool = False) -> None:
        """Sets the size of the window in pixels, and the colour scheme that the system asks for."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=wide,
            height=high,
            deviceScaleFactor=1,
            mobile=wide < 600,
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.tell("Emulation.setEmulatedMedia", features=features)

    def open(self, file: Path) -> None:
        """Loads a file to the end."""
        self.tell("Page.navigate", url=file.as_uri())
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def wait(self, condition: str) -> None:
        """Waits until an expression in the page is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def value(self, expression: str) -> Any:
        """The value of an expression in the page, as JSON has it."""
        done = self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """Presses a key: a character, or the name of another key."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Tab": 9}.get(key, 0)
        self.tell("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
        self.tell("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """An event of the mouse, such as `mouseMoved`, at a place in pixels."""
        self.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def _receive(self) -> Json:
        while b"\0" not in self._received:
            chunk = os.read(self._back, 1 << 20)
            assert chunk, "the browser has gone"
            self._received += chunk
        message, _, self._received = self._received.partition(b"\0")
        document: Json = json.loads(message)
        self._note(document.get("method", ""), document.get("params", {}))
        return document

    def _note(self, method: str, about: Json) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(about["args"]))


@contextmanager
def browser() -> Iterator[Page]:
    """A new browser without a past, with one empty page."""
    program = shutil.which("chromium")
    if program is None:
        needed("Chromium (Debian: chromium)")
    assert program is not None
    theirs, to = os.pipe()
    back, from_them = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        pipes = f'exec "$0" "$@" 3<&{theirs} 4>&{from_them}'
        command = ["bash", "-c", pipes, program, *SWITCHES, f"--user-data-dir={profile}", "about:blank"]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, pass_fds=(theirs, from_them), stdout=quiet, stderr=quiet)
        os.close(theirs)
        os.close(from_them)
        try:
            yield Page(to, back)
        finally:
            os.close(to)  # at the end of its commands the browser leaves
            os.close(back)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
