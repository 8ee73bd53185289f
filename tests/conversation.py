"""The part of rsyslog in a conversation: sends a line, waits for the answer."""

import os
import select
from collections.abc import Sequence
from pathlib import Path

from tests.support import PATIENCE, PLAIN, PROGRAM, Done, finish, start

OK, DEFERRED = "OK", "DEFER_COMMIT"
BEGIN, COMMIT = b"BEGIN TRANSACTION", b"COMMIT TRANSACTION"


class Conversation:
    """The program with --ack rsyslog; dots before an answer are counted and taken off, as rsyslog does."""

    def __init__(
        self,
        *options: str | Path,
        env: dict[str, str] | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.process = start(*PLAIN, "--ack", "rsyslog", *options, env=env, program=program)
        self.dots = 0
        self._heard = b""

    def hear(self) -> str:
        """The next answer."""
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        while b"\n" not in self._heard:
            assert select.select([fd], [], [], PATIENCE)[0], "no answer comes"
            heard = os.read(fd, 4096)
            assert heard, "it has left"
            self._heard += heard
        answer, _, self._heard = self._heard.partition(b"\n")
        words = answer.lstrip(b".")
        self.dots += len(answer) - len(words)
        return words.decode()

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.rstrip(b"\n") + b"\n")
        self.process.stdin.flush()

    def ask(self, line: bytes) -> str:
        """Sends a line; the answer to it, and to nothing else."""
        assert self._heard == b""
        self.send(line)
        return self.hear()

    def end(self) -> Done:
        """Closes its standard input. Nothing more may be said but dots."""
        done = finish(self.process)
        assert done.out.strip(b".") == self._heard == b""
        return done

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
