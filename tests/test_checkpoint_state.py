"""The file of `--checkpoint` itself: what it may be, what it holds, and who may use it."""

import json
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import trap
from tests.canaries import WORD, Canaries
from tests.influxd import wait_for
from tests.killing import kill, numbered
from tests.memory import Program, append, lines
from tests.support import PROGRAM, Done, check_refused, finish, line, needed, run, start

NOBODY = 65534


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "aidial.log"
    file.write_bytes(lines(0, 5))
    return file


def state_of(program: Program, file: Path) -> bytes:
    """A good state."""
    program.run(file)
    return program.state.read_bytes()


def changed(state: bytes, **columns: object) -> bytes:
    """A state whose first mark has other columns."""
    document = json.loads(state)
    document["files"][0].update(columns)
    return json.dumps(document).encode()


def without(state: bytes, column: str) -> bytes:
    document = json.loads(state)
    del document["files"][0][column]
    return json.dumps(document).encode()


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda state: state[: len(state) // 2],
    "no_end": lambda state: state[:-3],
    "no_beginning": lambda state: state[3:],
    "zeros": lambda state: bytes(len(state)),
    "no_utf8": lambda state: state.replace(b"aidial", b"\xff\xfe"),
    "other_version": lambda state: state.replace(b'"version": 1', b'"version": 2'),
    "no_version": lambda state: state.replace(b'"version": 1, ', b""),
    "no_files": lambda state: b'{"version": 1}',
    "files_no_list": lambda state: b'{"version": 1, "files": {}}',
    "mark_no_object": lambda state: b'{"version": 1, "files": [[]]}',
    "list": lambda state: b"[]",
    "number": lambda state: b"1",
    "deep": lambda state: b"[" * 200_000,
    "digits": lambda state: b"9" * 10_000,
    "log": lambda state: lines(0, 2),
    "text": lambda state: b"all my passwords\n",
    "binary": lambda state: b"\x7fELF\x02\x01\x01\0" * 10,
    "spool": lambda state: b"dial-enricher: lines that rsyslog has handed over\n",
    "no_offset": lambda state: without(state, "offset"),
    "no_path": lambda state: without(state, "path"),
    "offset_text": lambda state: changed(state, offset="0"),
    "offset_bool": lambda state: changed(state, offset=True),
    "offset_float": lambda state: changed(state, offset=1.0),
    "offset_null": lambda state: changed(state, offset=None),
    "offset_negative": lambda state: changed(state, offset=-1),
    "lines_negative": lambda state: changed(state, lines=-1),
    "hash_number": lambda state: changed(state, line_sha256=7),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_or_foreign_state_is_left_alone(name: str, program: Program, file: Path) -> None:
    """It might be somebody's only copy of something; and to begin again is not for the program to decide."""
    damaged = DAMAGED[name](state_of(program, file))
    program.state.write_bytes(damaged)
    append(file, lines(5, 6))
    done = finish(program.start(file))
    check_refused(done, str(program.state))
    assert program.state.read_bytes() == damaged
    program.check(*range(5))


@pytest.mark.parametrize("column", ["offset", "line_begin", "head_bytes", "lines", "inode", "device"])
def test_a_state_that_speaks_of_more_than_there_can_be(column: str, program: Program, file: Path) -> None:
    """It is refused, or fits no file; a position that no system knows breaks nothing."""
    program.state.write_bytes(changed(state_of(program, file), **{column: 10**30}))
    done = finish(program.start(file))
    if done.code == 0:
        assert set(program.numbers) == set(range(5))
    else:
        check_refused(done, str(program.state))


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n"])
def test_an_empty_state_is_a_new_one(content: bytes, program: Program, file: Path) -> None:
    program.state.write_bytes(content)
    program.run(file)
    program.check(*range(5))
    assert program.marks == {str(file): 5}


def test_no_state_file(program: Program, file: Path, tmp_path: Path) -> None:
    """Directories, devices, pipes and the like, and places where there can be none."""
    directory = tmp_path / "directory"
    directory.mkdir()
    pipe, loop, hole = tmp_path / "pipe", tmp_path / "loop", tmp_path / "hole"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    hole.symlink_to(tmp_path / "missing" / "state")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for state in (
            *(directory, pipe, loop, hole, tmp_path / "socket", "/dev/null", "/dev/full"),
            *(tmp_path / "missing" / "state", file / "state", f"{directory}/"),
        ):
            check_refused(run("--checkpoint", state, file, stdin=subprocess.DEVNULL), str(state), "missing")


POWERLESS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", *PROGRAM)
"""The program as a root whom the modes of files bind like everybody else."""


@pytest.mark.parametrize(("owner", "mode"), [(0, 0o400), (0, 0o000), (NOBODY, 0o600), (NOBODY, 0o644)])
def test_a_state_that_may_not_be_used(owner: int, mode: int, program: Program, file: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        needed("root, and setpriv (Debian: util-linux)")
    saved = state_of(program, file)
    program.state.chmod(mode)
    os.chown(program.state, owner, owner)
    done = finish(start(*program.command, file, program=POWERLESS))
    check_refused(done, str(program.state))
    assert program.state.read_bytes() == saved


def check_busy(done: Done) -> None:
    """It did not start; nobody has to change a setting, for that will pass."""
    check_refused(done._replace(code=2), "in use by another process")
    assert done.code == 1


def test_two_at_once(program: Program, file: Path) -> None:
    """The second is refused for as long as the first lives, whether it saves meanwhile or not."""
    first = start(*program.command, "--follow", file)
    wait_for(lambda: program.state.exists() and program.marks == {str(file): 5})
    for last in (6, 7, 8):
        check_busy(finish(program.start(file)))
        append(file, lines(last - 1, last))
        wait_for(lambda last=last: program.marks == {str(file): last})  # type: ignore[misc]
    assert kill(first)
    program.run(file)
    program.check(*range(8))


def test_many_at_once(program: Program, file: Path) -> None:
    """However their starts overlap: one at a time works, and all is done once."""
    for last in range(6, 12):
        append(file, lines(last - 1, last))
        done = [finish(one) for one in [program.start(file) for _ in range(6)]]
        assert any(one.code == 0 for one in done)
        for one in done:
            if one.code:
                check_busy(one)
        program.check(*range(last))


def test_a_link_stays_a_link(program: Program, file: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    for target, last in ((there / "state", 5), (Path("there/state"), 6)):
        program.state.unlink(missing_ok=True)
        program.state.symlink_to(target)
        append(file, lines(5, last))
        program.run(file)
        assert program.state.is_symlink()
        assert stat.S_ISREG((there / "state").lstat().st_mode)
        assert program.marks == {str(file): last}
        assert sorted(there.iterdir()) == [there / "state"]
    program.check(*range(6))


@pytest.mark.parametrize("is_link", [True, False])
def test_what_a_killed_run_left_does_no_harm(is_link: bool, program: Program, file: Path) -> None:
    """Half a state that was being written; or a trap that somebody laid in its place."""
    new, precious = program.directory / "state.new", program.directory / "precious"
    precious.write_text("all that I have\n")
    if is_link:
        new.symlink_to(precious)
    else:
        new.write_bytes(b"x" * 10_000)
        new.chmod(0o666)
    done = finish(program.start(file))
    assert precious.read_text() == "all that I have\n"
    if not is_link:
        assert done.code == 0
        program.check(*range(5))
        assert program.marks == {str(file): 5}
        assert not new.exists()


def test_the_state_is_private_and_holds_no_text(program: Program, file: Path) -> None:
    """Neither what is done nor what waits for its end; the same goes for a state that is being written."""
    state, new = program.state, program.directory / "state.new"
    trapped = trap.environment(file.parent / "trap", "rename", "before", save=2)
    for data in (b"".join(map(line, Canaries().records())), b'{"half": "' + WORD.encode()):
        append(file, data)
        assert finish(start(*program.command, file, env=trapped)).code == -9
        for written in (state, new):
            assert WORD not in written.read_text()
            assert stat.S_IMODE(written.stat().st_mode) == 0o600
        program.run(file)
        assert WORD not in state.read_text()


WRITTEN = ("--output", "--dead-letter", "--log-file")


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("exists", [True, False])
def test_the_state_is_no_other_file_of_the_program(option: str, exists: bool, tmp_path: Path) -> None:
    """What is written there would be lost with the next save."""
    file, state = tmp_path / "aidial.log", tmp_path / "state"
    file.write_bytes(lines(0, 2) + b"bad\n")
    if exists:
        state.touch()
    done = run("--checkpoint", state, option, f"{tmp_path}/./state", file)
    check_refused(done, "--checkpoint", option)
    assert not state.exists() or state.read_bytes() == b""


@pytest.mark.parametrize("option", ["--checkpoint", *WRITTEN])
@pytest.mark.parametrize("data", [b"", b"half a line", numbered([1], "project-1") + b"half"])
def test_no_file_that_is_read_is_touched(option: str, data: bytes, tmp_path: Path) -> None:
    """It is refused before anything is opened: somebody else writes there."""
    file = tmp_path / "aidial.log"
    file.write_bytes(data)
    before = file.stat()
    for more in ((), ("--checkpoint", tmp_path / "state")):
        if option not in more:
            check_refused(run(*more, option, file, file), option)
            after = file.stat()
            assert file.read_bytes() == data
            assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
