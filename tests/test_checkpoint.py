"""`--checkpoint`: what is done of a file is not done again, whatever befell the file since the last run."""

import os
import shutil
from pathlib import Path

import pytest

from tests.memory import Program, append, lines


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aidial.log"


# What has been added


def test_only_what_is_new_is_read(program: Program, file: Path) -> None:
    for first, last in ((0, 5), (5, 6), (6, 6), (6, 2000)):
        append(file, lines(first, last))
        program.run(file)
        assert program.numbers == list(range(last))
        assert program.marks == {str(file): last}


def test_half_a_line_waits_for_its_other_half(program: Program, file: Path) -> None:
    data = lines(0, 3)
    file.write_bytes(data[:-100])
    program.run(file)
    program.check(0, 1)
    assert "line 3 has no end yet" in program.log.read_text()
    append(file, data[-100:-50])
    program.run(file)
    program.check(0, 1)
    append(file, data[-50:] + lines(3, 4))
    program.run(file)
    program.check(0, 1, 2, 3)
    assert program.letters == []


def test_a_whole_record_needs_no_newline(program: Program, file: Path) -> None:
    file.write_bytes(b"bad\n" + lines(0, 1)[:-1])
    program.run(file)
    program.check(0)
    program.run(file)
    program.check(0)
    append(file, b"\nbad\n" + lines(1, 2)[:-1])
    program.run(file)
    program.check(0, 1)
    append(file, b"\nbad\n")
    program.run(file)
    assert [letter["line"] for letter in program.letters] == [1, 3, 5]


def test_letters_count_lines_from_the_beginning_of_the_file(program: Program, file: Path) -> None:
    file.write_bytes(lines(0, 3) + b"bad\n\n")
    program.run(file)
    append(file, b"\n" + lines(3, 4) + b"bad\n")
    program.run(file)
    program.check(0, 1, 2, 3)
    assert [(letter["line"], letter["source"]) for letter in program.letters] == [
        (4, str(file)),
        (8, str(file)),
    ]


@pytest.mark.parametrize("end", [b"", b"\n", b" \r\n\n"])
@pytest.mark.parametrize("beginning", [b"", b"\n", b"\n" * 3000, b" \r\n\0\0\n", b"bad\n" * 400])
def test_files_that_begin_and_end_alike(
    beginning: bytes, end: bytes, program: Program, tmp_path: Path
) -> None:
    """Each is read, though nothing tells them apart but one line in the middle."""
    names = [tmp_path / f"{number}.log" for number in range(3)]
    for name in names:
        name.write_bytes(beginning)
    program.run(*names)
    for number, name in enumerate(names):
        append(name, lines(number, number + 1) + end)
    for _ in range(2):
        program.run(*names)
        program.check(0, 1, 2)
    for number, name in enumerate(names):
        append(name, lines(number + 10, number + 11) + end)
    program.run(*names)
    program.check(0, 1, 2, 10, 11, 12)


def test_a_line_that_is_too_long_stands_before_the_mark(file: Path, tmp_path: Path) -> None:
    program = Program(tmp_path, "--max-line-bytes", "5000")
    file.write_bytes(lines(0, 1) + b"x" * 3_000_000 + b"\n")
    program.run(file)
    append(file, lines(1, 2))
    program.run(file)
    program.check(0, 1)
    append(file, b"y" * 3_000_000)
    program.run(file)
    append(file, b"y\n" + lines(2, 3))
    program.run(file)
    program.check(0, 1, 2)
    assert [(letter["line"], letter["length"]) for letter in program.letters] == [
        (2, 3_000_000),
        (4, 3_000_001),
    ]


# Names that change


def rotate(file: Path, newest: int = 1) -> None:
    """Every number goes one up, as logrotate does it."""
    if file.exists():
        name = file.with_name(f"{file.name.partition('.log')[0]}.log.{newest}")
        if name.exists():
            rotate(name, newest + 1)
        file.rename(name)


def test_numbers_that_go_up(program: Program, file: Path) -> None:
    """Each name belongs to another file after a while, and each file is done once."""
    for number in range(6):
        append(file, lines(10 * number, 10 * number + 6))
        names = sorted(file.parent.glob("aidial.log*"))
        program.run(*names)
        append(file, lines(10 * number + 6, 10 * number + 10))
        rotate(file)
    for names in (sorted(file.parent.glob("aidial.log*")), sorted(file.parent.glob("aidial.log*"))[::-1]):
        program.run(*names)
        program.check(*range(60))


@pytest.mark.parametrize("files", [1, 150])
def test_files_that_were_moved(files: int, program: Program, tmp_path: Path) -> None:
    """To another directory, and to another disk: with other inodes."""
    here, there, elsewhere = (tmp_path / name for name in ("here", "there", "elsewhere"))
    here.mkdir()
    for number in range(files):
        (here / f"{number}.log").write_bytes(lines(10 * number, 10 * number + 2))
    program.run(*here.iterdir())
    for moved in (there, elsewhere):
        if moved is there:
            here.rename(there)
        else:
            shutil.copytree(there, elsewhere)
            shutil.rmtree(there)
        program.run(*moved.iterdir())
        assert len(program.numbers) == 2 * files
    for number in range(files):
        append(elsewhere / f"{number}.log", lines(10 * number + 2, 10 * number + 4))
    program.run(*elsewhere.iterdir())
    program.check(*(10 * number + place for number in range(files) for place in range(4)))


def test_a_start_without_the_files_forgets_none(program: Program, file: Path, tmp_path: Path) -> None:
    """The disk with the logs may be mounted late."""
    logs, away = tmp_path / "logs", tmp_path / "away"
    logs.mkdir()
    for number in range(150):
        (logs / f"{number}.log").write_bytes(lines(number, number + 1))
    program.run(*logs.iterdir())
    logs.rename(away)
    file.write_bytes(lines(1000, 1001))
    program.run(file)
    away.rename(logs)
    program.run(file, *logs.iterdir())
    program.check(*range(150), 1000)


def test_another_file_under_the_same_name(program: Program, file: Path) -> None:
    for first, last in ((0, 5), (5, 10), (10, 30), (30, 31)):
        file.unlink(missing_ok=True)
        file.write_bytes(lines(first, last))
        program.run(file)
        program.check(*range(last))


def test_another_file_with_the_same_inode(program: Program, file: Path) -> None:
    """As if the first one was deleted, and its number given to the next."""
    for first, last in ((0, 5), (5, 10), (10, 30), (30, 31)):
        with file.open("wb") as open_file:
            open_file.write(lines(first, last))
        program.run(file)
        program.check(*range(last))


def test_a_file_that_was_cut_and_begun_anew(program: Program, file: Path, tmp_path: Path) -> None:
    """Its old content went to a copy, part of which had not been read."""
    append(file, lines(0, 5))
    program.run(file)
    append(file, lines(5, 8))
    copy = tmp_path / "aidial.log.1"
    shutil.copy(file, copy)
    os.truncate(file, 0)
    append(file, lines(8, 20))
    program.run(*((copy, file) if len(program.marks) % 2 else (file, copy)))
    program.check(*range(20))
    program.run(file, copy)
    program.check(*range(20))


@pytest.mark.parametrize("left", [0, 1, 3, 5])
def test_a_file_that_shrank(left: int, program: Program, file: Path) -> None:
    """It is another one now: it is read from its beginning, and nothing is lost."""
    append(file, lines(0, 5))
    program.run(file)
    os.truncate(file, len(lines(0, left)))
    append(file, lines(10, 12))
    program.run(file)
    assert set(program.numbers) == {*range(5), 10, 11}
    before = program.numbers
    program.run(file)
    assert program.numbers == before


def test_one_file_by_several_names(program: Program, file: Path, tmp_path: Path) -> None:
    file.write_bytes(lines(0, 5))
    hard, soft = tmp_path / "hard", tmp_path / "soft"
    hard.hardlink_to(file)
    soft.symlink_to(file)
    names = (file, file, hard, soft, f"{file.parent}/./{file.name}")
    program.run(*names)
    program.check(*range(5))
    append(file, lines(5, 7))
    program.run(*reversed(names))
    program.check(*range(7))


@pytest.mark.parametrize("order", [1, -1])
def test_a_copy_is_not_read_again(order: int, program: Program, file: Path, tmp_path: Path) -> None:
    file.write_bytes(lines(0, 5))
    program.run(file)
    append(file, lines(5, 8))
    copy = tmp_path / "copy"
    shutil.copy(file, copy)
    program.run(*[file, copy][::order])
    program.check(*range(8))
    append(copy, lines(8, 9))
    append(file, lines(9, 10))
    program.run(*[file, copy][::order])
    program.check(*range(10))
    program.run(copy, file)
    program.check(*range(10))


def test_a_name_that_is_no_text(program: Program, tmp_path: Path) -> None:
    file = Path(os.fsdecode(bytes(tmp_path) + b"/a\xff\xfe\n\x01.log"))
    for first, last in ((0, 3), (3, 5)):
        append(file, lines(first, last))
        program.run(file)
        program.check(*range(last))
    assert list(program.marks) == [str(file)]


# Many files, and few lines


def test_empty_files_and_blank_lines(program: Program, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.log" for number in range(4)]
    for name, data in zip(names, (b"", b"\n", b"\n\n \n", b"\0\0\0"), strict=True):
        name.write_bytes(data)
    program.run(*names)
    program.run(*names)
    for number, name in enumerate(names):
        append(name, b"\n" + lines(number, number + 1))
    program.run(*names)
    program.check(*range(4))
    assert program.letters == []


def test_2000_files(program: Program, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.log" for number in range(2000)]
    for number, name in enumerate(names):
        name.write_bytes(lines(2 * number, 2 * number + 2))
    for _ in range(2):
        program.run(*names)
        program.check(*range(4000))
    append(names[1000], lines(5000, 5001))
    program.run(*names)
    program.check(*range(4000), 5000)
