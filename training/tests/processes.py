"""`dial-enricher` as a process that has the big packages, and no way to the network."""

import subprocess
from pathlib import Path

from tests import support
from tests.support import Done

ROOT = support.ROOT
PATIENCE = 800
"""Seconds: making a model takes a minute where nothing else runs."""
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",  # several processes that each want all processors are slower than one by one
}


def start(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return support.start(*arguments, cwd=cwd, env=ENVIRONMENT | (env or {}))


def finish(process: subprocess.Popen[bytes], stdin: bytes = b"") -> Done:
    try:
        out, err = process.communicate(stdin, timeout=PATIENCE)
    finally:
        process.kill()
    return Done(process.returncode, out, err.decode())


def run(*arguments: str | Path, cwd: Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Done:
    return finish(start(*arguments, cwd=cwd, env=env), stdin)
