"""What a container engine does with namespaces: a root of its own, its user, a read-only system, PID 1."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from tests.support import PATIENCE, needed

TOOLS = ("apt-get", "dpkg-deb", "mount", "unshare")
DEVICES = ("full", "null", "random", "urandom", "zero")
NOBODY = "65534:65534"
DROP = "setpriv --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs --pdeathsig=KILL"
"""As a careful operator has it; and the process ends when the one that stands for it is killed."""


def check_possible() -> None:
    """Skips the test where namespaces cannot be made; in CI that is a failure."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.getuid() != 0:
        needed(f"root, with {', '.join(missing or TOOLS)}")
    if subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True
    ).returncode:
        needed("the permission to make namespaces")


@dataclass(frozen=True)
class Root:
    """A tree of files that processes see as their whole system."""

    path: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def inside(self, path: str) -> Path:
        """Where a path within the tree is found from outside, if no link leads out of it."""
        return self.path / path.lstrip("/")

    def run(self, *command: str, cwd: str, env: Mapping[str, str], mounts: Mapping[Path, str]) -> None:
        """Runs a command as root, which may write and use the network, as a build does."""
        made = [path for source, target in mounts.items() for path in self._make_mount_point(source, target)]
        script = self._script(mounts, {}) + f"exec unshare {self._enter(cwd)} -- {shlex.join(command)}"
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=600,
        )
        for path in reversed(made):
            if path.is_file():
                path.unlink()
            elif not any(path.iterdir()):  # or the command has put something beside it
                path.rmdir()
        said = (done.stdout + done.stderr).decode()[-3000:]
        assert done.returncode == 0, f"{command[-1]}\n{done.returncode}\n{said}"

    def start(
        self, *command: str, user: str = NOBODY, volumes: Mapping[Path, str] | None = None, **streams: Any
    ) -> subprocess.Popen[bytes]:
        """A command as PID 1, without privileges and network, the root read-only but for the volumes.

        The process that is returned stands for it: it ends with the same exit code.
        """
        volumes = volumes or {}
        for source, target in volumes.items():
            self._make_mount_point(source, target)
        uid, _, gid = user.partition(":")
        script = self._script({}, volumes) + 'mount -o remount,bind,ro "$ROOT"\n'
        drop = f"{DROP} --reuid={uid} --regid={gid}"
        script += f"exec unshare {self._enter('/')} -- {drop} -- {shlex.join(command)}"
        settings: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | streams
        outer = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-euc", script]
        process: Any = subprocess.Popen(outer, env={**self.env}, **settings)
        return cast(subprocess.Popen[bytes], process)

    def _make_mount_point(self, source: Path, target: str) -> list[Path]:
        """What had to be made, from the top."""
        point = self.inside(target)
        missing = [path for path in (*reversed(point.parents), point) if not path.exists()]
        for path in missing:
            path.touch() if path == point and source.is_file() else path.mkdir()
        return missing

    def _enter(self, cwd: str) -> str:
        return shlex.join([f"--root={self.path}", f"--wd={cwd}"])

    def _script(self, read_only: Mapping[Path, str], volumes: Mapping[Path, str]) -> str:
        """Mounts that only the namespace of the command sees."""
        root = shlex.quote(str(self.path))
        lines = [f"ROOT={root}", 'mount --bind "$ROOT" "$ROOT"', 'mount -t proc proc "$ROOT/proc"']
        lines += ['mount -t tmpfs -o mode=755 dev "$ROOT/dev"']
        for device in DEVICES:
            lines += [f': > "$ROOT/dev/{device}"', f'mount --bind /dev/{device} "$ROOT/dev/{device}"']
        for source, target in sorted([*read_only.items(), *volumes.items()], key=itemgetter(1)):
            # a folder before what is in it, which it would hide
            lines += [f'mount --bind {shlex.quote(str(source))} "$ROOT"{shlex.quote(target)}']
        for target in sorted(read_only.values()):
            lines += [f'mount -o remount,bind,ro "$ROOT"{shlex.quote(target)}']
        return "\n".join(lines) + "\n"


def tell(process: subprocess.Popen[bytes], number: int) -> None:
    """Sends a signal from outside to the first process of a started root."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), number)


@contextmanager
def surely_ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leaves nothing running when a test fails."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=PATIENCE)


def copy_tree(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--archive", "--no-target-directory", source, target], check=True, timeout=600)


def output(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, timeout=600)
    assert done.returncode == 0, (command, done.stderr.decode()[-3000:])
    return done.stdout.decode()
