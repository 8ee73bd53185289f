"""`--checkpoint` on a small disk that is full: a file system of its own, of two pages or three files."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.delivery import check_stored, records, sender, understood
from tests.faults.dialects import DIALECTS, Reply
from tests.faults.server import Visit, serving
from tests.influxd import Influx
from tests.killing import marks
from tests.support import PROGRAM, finish, needed, start

LOG = understood(records(600))
UNSHARE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
SCRIPT = """
mount -t tmpfs -o "$DISK" tmpfs "$0" && cp -p "$BEFORE"/* "$0" || exit 99
"$@"
code=$?
cp -p "$0"/* "$AFTER"
exit $code
"""
"""Runs a program while a disk is mounted that only it can see, with some files on it before and after."""
DISKS = {"pages": ("size=8k", b"x" * 4096), "files": ("nr_inodes=3", b"")}
"""Room for a state and the next one, and what takes the room of the latter."""
EACH_DISK = pytest.mark.parametrize("disk", DISKS)


class Disk:
    """A place where a disk will be mounted, and what lies on it before and after."""

    def __init__(self, directory: Path, kind: str) -> None:
        if subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", directory]).returncode:
            needed("a namespace in which disks can be mounted")
        self.place, self.before, self.after = (directory / name for name in ("disk", "before", "after"))
        for path in (self.place, self.before, self.after):
            path.mkdir()
        self.state = self.place / "state"
        options, self._filler = DISKS[kind]
        self.program = (*UNSHARE, "sh", "-c", SCRIPT, str(self.place), *PROGRAM)
        self.environment = {"DISK": options, "BEFORE": str(self.before), "AFTER": str(self.after)}

    def fill(self, directory: Path) -> None:
        (directory / "filler").write_bytes(self._filler)

    def fill_that_of(self, process: subprocess.Popen[bytes]) -> None:
        """Fills the disk that a process sees."""
        self.fill(Path(f"/proc/{process.pid}/root{self.place}"))


@EACH_DISK
@pytest.mark.parametrize("begin", ["start", "run"])
def test_the_disk_of_the_checkpoint_is_full(
    begin: str, disk: str, influx: Influx, database: str, tmp_path: Path
) -> None:
    """The state stays as it was, to the byte, and alone; with room the next run brings the rest."""
    small, file = Disk(tmp_path, disk), tmp_path / "aidial.log"
    lines = LOG.data.splitlines(keepends=True)
    processes: list[subprocess.Popen[bytes]] = []

    def first_request(visit: Visit) -> Reply:
        small.fill_that_of(processes[0])
        return visit.store()

    with serving(DIALECTS[0], influx, database) as server:
        program = sender(server, tmp_path / "program", "--checkpoint", str(small.before / "state"))
        file.write_bytes(b"".join(lines[:100]))
        assert program.send(b"", file).code == 0
        old = (small.before / "state").read_bytes()
        file.write_bytes(LOG.data)
        if begin == "start":
            small.fill(small.before)
        else:
            server.script.append(first_request)
        program = sender(server, tmp_path / "program", "--checkpoint", str(small.state))
        environment = program.env | small.environment
        processes.append(start(*program.command, file, env=environment, program=small.program))
        done = finish(processes[0])
        told = (done.err + program.log_file.read_text()).splitlines()
        (error,) = [one for one in told if one.startswith("Error: ") or " ERROR " in one]
        assert f"cannot write the checkpoint {small.state}: No space left on device" in error
        assert done.code == 1
        assert server.script == []
        assert {path.name for path in small.after.iterdir()} == {"state", "filler"}
        assert (small.after / "state").read_bytes() == old
        if begin == "start":
            assert sum(len(write.lines) for write in server.writes) == 100
        small.state.write_bytes(old)
        assert program.send(b"", file).code == 0
    check_stored(influx, database, LOG.rows)
    assert [mark["lines"] for mark in marks(small.state)] == [600]


def test_the_first_state_finds_no_room(influx: Influx, database: str, tmp_path: Path) -> None:
    """Nothing is read, nothing is sent."""
    small, file = Disk(tmp_path, "pages"), tmp_path / "aidial.log"
    file.write_bytes(LOG.data)
    small.fill(small.before)
    (small.before / "more").write_bytes(b"x" * 4096)
    with serving(DIALECTS[0], influx, database) as server:
        program = sender(server, tmp_path / "program", "--checkpoint", str(small.state))
        environment = program.env | small.environment
        done = finish(start(*program.command, file, env=environment, program=small.program))
        assert done.code == 1
        assert f"cannot write the checkpoint {small.state}: No space left on device" in done.err
        assert server.writes == []
        assert not (small.after / "state.new").exists()
        assert program.send(b"", file).code == 0
    check_stored(influx, database, LOG.rows)
