"""`--follow`: whatever happens to logs while they are read, each record comes once."""

import os
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from socket import AF_UNIX, socket

import pytest

from tests.day import Writer
from tests.following import Following, in_each_way
from tests.influxd import wait_for
from tests.support import needed

Story = Callable[[Following], object]
ANY = "aidial*.log*"


def roll_to_new_names(one: Following) -> None:
    """DIAL Core at midnight and at 1 GiB: a new name each time, and ten are kept."""
    names: list[Path] = []
    for day in (20, 21, 22):
        for number in range(6):
            names.append(one.write(f"aidial-2026-11-{day}.{number}.log", 20))
            one.write(names[-1], 3)
            while len(names) > 10:
                one.wait_until_held(names[0])
                names.pop(0).unlink()
        if day == 21:
            one.caught_up()
            one.again(lambda: one.write("aidial-2026-11-21.6.log", 4))


def rename(one: Following) -> None:
    """logrotate's `create`, with a writer that goes on for a while, to a name that is followed."""
    writer = Writer("core", one.logs / "aidial.log")
    for number in range(1, 4):
        writer.write(one.lines(30))
        os.rename(writer.path, one.logs / f"aidial.log.{number}")
        writer.write(one.lines(2))
        one.again(lambda: writer.write(one.lines(2)))
        writer.write(one.lines(2))
        writer.open(writer.path)
    writer.write(one.lines())
    os.close(writer.fd)


def rename_in_a_chain(one: Following) -> None:
    """As logrotate does it: .1 becomes .2 first. Also while the program is stopped, and twice."""
    for _ in range(4):
        one.write("aidial.log", 5)
        one.caught_up()
        one.again(lambda: shift(one))


def shift(one: Following) -> None:
    for number in (3, 2, 1):
        if (one.logs / f"aidial.log.{number}").exists():
            os.rename(one.logs / f"aidial.log.{number}", one.logs / f"aidial.log.{number + 1}")
    os.rename(one.logs / "aidial.log", one.logs / "aidial.log.1")


def rename_away(one: Following) -> None:
    """To a name that nobody follows: the file is read for as long as somebody writes to it, and 5 seconds."""
    writer = Writer("core", one.logs / "aidial-1.log")
    writer.write(one.lines(30))
    one.wait_until_held(writer.path)
    os.rename(writer.path, one.directory / "moved")
    for _ in range(5):
        time.sleep(1.5)
        writer.write(one.lines(2))
    one.caught_up()
    writer.open(writer.path)
    one.again()
    writer.write(one.lines())
    os.close(writer.fd)


def copy_and_empty(one: Following) -> None:
    """logrotate's `copytruncate`, to names that are followed, with `extension .log` and without."""
    log = one.write("aidial-1.log", 40)
    for copy in ("aidial-1.log.1", "aidial-1-2.log", "aidial-1.log.3", "aidial-1-4.log"):
        if copy == "aidial-1.log.3":
            one.again(lambda: copy_slowly(log, one.logs / "aidial-1.log.0"))
        shutil.copy(log, one.logs / copy)
        os.truncate(log, 0)
        one.write(log, 50)  # more than was there before
    one.caught_up()
    one.again()


def copy_slowly(log: Path, copy: Path) -> None:
    """A copy that takes longer than two looks at the directory, and the emptying behind it."""
    with log.open("rb") as source, copy.open("wb") as target:
        size = log.stat().st_size
        while piece := source.read(size // 12 + 1):
            target.write(piece)
            target.flush()
            time.sleep(0.2)
    os.truncate(log, 0)


def copies_that_take_a_while(one: Following) -> None:
    log = one.write("aidial-1.log", 40)
    one.caught_up()
    one.again()
    one.write(log, 30)
    one.caught_up()
    copy_slowly(log, one.logs / "aidial-1-copy.log")
    one.write(log, 5)
    copy_slowly(log, one.logs / "aidial-1.log.copy")
    one.write(log, 90)


def a_restart_while_a_copy_is_made(one: Following) -> None:
    log = one.write("aidial-1.log", 30)
    one.caught_up()
    half = log.read_bytes()[: log.stat().st_size // 2]
    for copy in (one.logs / "aidial-1-1.log", one.logs / "aidial-1.log.1"):
        copy.write_bytes(half)
        one.again()
        one.wait_until_held(log)
        time.sleep(1.2)  # it looks at the half of the copy
        shutil.copy(log, copy)
        os.truncate(log, 0)
        one.write(log, 3)
        one.caught_up()
        half = log.read_bytes()[: log.stat().st_size // 2]


def copy_away_and_empty(one: Following) -> None:
    """To a name that is not followed: after all has been read, since nobody else has it."""
    log = one.write("aidial-1.log", 20)
    for number in range(3):
        one.caught_up()
        one.again()
        shutil.copy(log, one.directory / f"copy-{number}")
        os.truncate(log, 0)
        one.write(log, 30 * (number + 1))


def empty_while_stopped(one: Following) -> None:
    log = one.write("aidial-1.log", 20)

    def empty(copy: Path, lines: int) -> None:
        shutil.copy(log, copy)
        os.truncate(log, 0)
        one.write(log, lines)

    one.caught_up()
    one.again(lambda: empty(one.directory / "copy", 60))
    one.caught_up()
    one.again(lambda: empty(one.logs / "aidial-1.log.1", 7))


def an_inode_that_is_used_again(one: Following) -> None:
    """A log is deleted, and what is begun in its place has its inode; also while the program is stopped."""
    log = one.write("aidial-1.log", 20)
    one.caught_up()
    one.again(lambda: begin_anew(one, log) if one.end else one.write(log, 30))
    one.caught_up()
    begin_anew(one, log)


def begin_anew(one: Following, log: Path) -> None:
    """Deletes a log, and begins it again when nobody has it open any more: then its inode is free.

    Somebody else on the machine may be quicker to take it; then there is another round.
    """
    for attempt in range(10):
        old = log.stat()
        log.unlink()
        wait_for(lambda old=old: not one.holds(old))  # type: ignore[misc]
        log.touch()
        for number in range(2000):  # those that were freed by others come first
            if log.stat().st_ino == old.st_ino:
                break
            log.rename(one.directory / f"unlucky-{attempt}-{number}")
            log.touch()
        one.write(log, 30)
        if log.stat().st_ino == old.st_ino:
            return
        one.caught_up()
    needed("a file system that uses inodes again")


def partial_lines(one: Following) -> None:
    """A line without an end is waited for, were it cut inside a character."""
    log = one.write("aidial-1.log", 3)
    plain = one.lines()
    text = plain.replace(b"answer-1", "réponse-1".encode())
    one.data = one.data.removesuffix(plain) + text
    inside = text.index("é".encode()) + 1
    for begin, end in pairwise([0, 1, inside, len(text) - 1, len(text)]):
        with log.open("ab") as file:
            file.write(text[begin:end])
        time.sleep(0.4)
        one.again()


def a_partial_line_of_a_deleted_file(one: Following) -> None:
    """Nobody will end it: what is there counts."""
    log = one.logs / "aidial-1.log"
    log.write_bytes(one.lines(3)[:-1])
    one.wait_until_held(log)
    log.unlink()
    one.caught_up()
    one.again()


def files_that_come_late(one: Following) -> None:
    """Also in directories that come late, and under a name that is given as it is."""
    one.write("aidial-1.log")
    one.caught_up()
    for pod in ("pod a", "pod b"):
        (one.logs / pod).mkdir()
        one.write(f"{pod}/dial.log", 5)
        one.again(lambda pod=pod: one.write(f"{pod}/dial.log", 5))  # type: ignore[misc]
    one.write("late [1].txt", 5)


def names_of_all_kinds(one: Following) -> None:
    for name in (b"aidial-a b.log", b"aidial-[x]*?.log", b"aidial-\xff\xfe.log", "aidial-ü'\"$.log".encode()):
        one.write(os.fsdecode(name), 3)
        one.write(os.fsdecode(name + b".1"), 3)
    one.write(ANY, 3)  # what `touch` makes of a pattern that nothing matches
    one.caught_up()
    one.again()
    one.write(os.fsdecode(b"aidial-\xff\xfe.log"), 3)


def links(one: Following) -> None:
    """A link that moves on at the roll; two names of one file; one that leads nowhere; and one to itself."""
    current = one.logs / "aidial.log"
    for day in range(4):
        dated = one.write(f"dated-{day}", 10)
        os.link(dated, one.logs / f"aidial-{day}.log")
        current.unlink(missing_ok=True)
        current.symlink_to(dated)
        one.wait_until_held(dated)
        one.write(dated, 3)
        one.again(lambda dated=dated: one.write(dated, 3))  # type: ignore[misc]
    (one.logs / "aidial-none.log").symlink_to("nowhere")
    (one.logs / "aidial-loop.log").symlink_to("aidial-loop.log")
    one.write(current, 3)


def what_is_no_file(one: Following) -> None:
    """Directories, pipes and sockets that the pattern matches are passed over, and nobody is kept waiting."""
    (one.logs / "aidial-dir.log").mkdir()
    os.mkfifo(one.logs / "aidial-pipe.log")
    with socket(AF_UNIX) as one_end:
        one_end.bind(str(one.logs / "aidial-s.log"))
    (one.logs / "aidial-null.log").symlink_to(os.devnull)
    one.write("aidial-1.log", 3)
    one.caught_up()
    one.again()
    one.write("aidial-1.log", 3)


def fifty_files(one: Following) -> None:
    """All of them grow at once."""
    for turn in range(6):
        for number in range(50):
            one.write(f"aidial-{number}.log", 2)
        if turn == 3:
            one.again()


STORIES: dict[Story, tuple[str, ...]] = {
    roll_to_new_names: (ANY,),
    rename: (ANY,),
    rename_in_a_chain: (ANY,),
    rename_away: (ANY,),
    copy_and_empty: (ANY,),
    copies_that_take_a_while: (ANY,),
    a_restart_while_a_copy_is_made: (ANY,),
    copy_away_and_empty: (ANY,),
    empty_while_stopped: (ANY,),
    an_inode_that_is_used_again: (ANY,),
    partial_lines: (ANY,),
    a_partial_line_of_a_deleted_file: (ANY,),
    files_that_come_late: (ANY, "pod*/*.log", "late [1].txt", "never-*.log"),
    names_of_all_kinds: (ANY,),
    links: ("aidial.log", ANY),
    what_is_no_file: (ANY,),
    fifty_files: (ANY,),
}
"""What happens, by the patterns that are followed."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_no_record_is_lost_and_none_comes_twice(story: Story, tmp_path: Path) -> None:
    in_each_way(tmp_path, story, *STORIES[story])
