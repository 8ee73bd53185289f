"""Which sources the arguments of a command line name, and in which order."""

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from dial_enricher.errors import SettingError
from dial_enricher.inputs.arguments import sources
from dial_enricher.inputs.sources import STDIN, Shard, Source, parse_shard, shown

TREE = ("b.log", "a.log", ".hidden", "deep/c.log.gz", "deep/er/d.log", "deep/.secret/e.log", "empty/.keep")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files in a directory that is the current one's `logs`; each holds its name."""
    for name in TREE:
        file = tmp_path / "logs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "logs"


@pytest.fixture
def cloud() -> Iterator[str]:
    """The same files in memory, by a URL."""
    fs = fsspec.filesystem("memory")
    for name in TREE:
        fs.pipe(f"/bucket/logs/{name}", name.encode())
    yield "memory://bucket/logs"
    fs.rm("/bucket", recursive=True)


def inside(*arguments: str, recursive: bool = False, shard: Shard | None = None) -> list[str]:
    return [source.inside for source in sources(arguments, recursive=recursive, shard=shard)]


def check_refused(*arguments: str, words: str, recursive: bool = False) -> None:
    with pytest.raises(SettingError, match=words):
        sources(arguments, recursive=recursive)


def test_a_file(tree: Path) -> None:
    assert sources(["logs/deep/c.log.gz"]) == [Source("logs/deep/c.log.gz", "c.log.gz", 13)]
    assert sources([str(tree / "a.log")]) == [Source(str(tree / "a.log"), "a.log", 5)]


def test_standard_input(tree: Path) -> None:
    assert sources([STDIN, "logs/a.log", STDIN]) == [
        Source(STDIN, "stdin", None),
        Source("logs/a.log", "a.log", 5),
    ]


@pytest.mark.parametrize("directory", ["logs", "logs/", "./logs", "logs/deep/.."])
def test_a_directory(directory: str, tree: Path) -> None:
    assert inside(directory) == ["a.log", "b.log"]
    assert inside(directory, recursive=True) == ["a.log", "b.log", "deep/c.log.gz", "deep/er/d.log"]
    for source in sources([directory], recursive=True):
        assert Path(source.name).samefile(tree / source.inside)
        assert Path(source.name).read_text() == source.inside
        assert source.size == len(source.inside)


def test_here(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert inside(".") == ["a.log", "b.log"]
    assert inside("*") == ["a.log", "b.log"]
    assert inside("*", recursive=True) == ["a.log", "b.log", "deep/c.log.gz", "deep/er/d.log"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("logs/*.log", ["a.log", "b.log"]),
        ("logs/[b]*", ["b.log"]),
        ("logs/?.log", ["a.log", "b.log"]),
        ("logs/**/*.log", ["a.log", "b.log", "deep/er/d.log"]),
        ("logs/**/*.gz", ["deep/c.log.gz"]),
        ("logs/deep/*/*", ["er/d.log"]),
        ("l*/deep/*", ["logs/deep/c.log.gz"]),
        ("logs/.*", [".hidden"]),
        ("logs/**/../b.log", ["b.log"]),
    ],
)
def test_a_pattern(pattern: str, found: list[str], tree: Path) -> None:
    assert inside(pattern) == found
    absolute = str(tree.parent / pattern)
    assert [source.size for source in sources([absolute])] == [source.size for source in sources([pattern])]


def test_a_name_with_wildcards_is_a_name(tree: Path) -> None:
    (tree / "[a].log").write_text("x")
    (tree / "[dir]").mkdir()
    (tree / "[dir]" / "f").write_text("y")
    assert inside("logs/[a].log") == ["[a].log"]
    assert inside("logs/[dir]") == ["f"]


def test_each_file_counts_once(tree: Path) -> None:
    (tree / "link.log").symlink_to("a.log")
    assert inside("logs/b.log", "logs", "./logs/../logs/a.log", "logs/*.log") == ["b.log", "a.log"]


def test_what_is_no_file_is_left_aside(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "round").symlink_to(tree)
    assert inside("logs", recursive=True) == ["a.log", "b.log", "deep/c.log.gz", "deep/er/d.log"]
    assert inside("logs/*") == ["a.log", "b.log"]
    assert sources(["logs/pipe"]) == [Source("logs/pipe", "pipe", None)]  # who names it wants it


def test_a_link_to_nothing_is_not_passed_over(tree: Path) -> None:
    (tree / "gone.log").symlink_to("nowhere")
    assert "gone.log" in inside("logs")
    assert "gone.log" in inside("logs/*.log")


def test_what_names_nothing_is_refused(tree: Path) -> None:
    check_refused("logs", "", words="^the name of a file is empty: name files, directories")
    check_refused("logs", "logs/x.log", words="no file is named logs/x.log")
    check_refused("logs/*.zip", words=r"no file fits logs/\*.zip")
    check_refused("logs/deep/er/*/", words="no file fits")
    check_refused("logs/empty", words="the directory logs/empty holds no file; --recursive reads")
    check_refused("logs/empty", words="the directory logs/empty holds no file$", recursive=True)
    check_refused("logs/a\nb", words="no file is named logs/a\ufffdb")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_directory_is_refused(tree: Path) -> None:
    tree.chmod(0)
    check_refused("logs", words="cannot read the directory logs: Permission denied")


def test_the_order_is_that_of_the_names(tree: Path) -> None:
    for name in ("B", "a-1", "a", "ü", "10", "9"):
        (tree / "empty" / name).touch()
    os.makedirs(tree / "empty" / "a0")
    (tree / "empty" / "a0" / "z").touch()
    assert inside("logs/empty", recursive=True) == ["10", "9", "B", "a", "a-1", "a0/z", "ü"]
    assert inside("logs/b.log", "logs/a.log") == ["b.log", "a.log"]


@pytest.mark.parametrize("count", range(1, 7))
def test_shards_share_everything(count: int, tree: Path) -> None:
    every = sources(["logs"], recursive=True)
    shards = [sources(["logs"], recursive=True, shard=Shard(index, count)) for index in range(count)]
    shared = [source for shard in shards for source in shard]
    assert sorted(shared, key=every.index) == every
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_a_shard_is_every_nth(tree: Path) -> None:
    every = inside("logs", recursive=True)
    assert len(every) == 4
    assert inside("logs", recursive=True, shard=Shard(0, 3)) == [every[0], every[3]]
    assert inside("logs", recursive=True, shard=Shard(1, 3)) == [every[1]]
    assert inside("logs", recursive=True, shard=Shard(7, 8)) == []
    assert inside("logs", recursive=True, shard=Shard(0, 1)) == every


def test_shards_are_read() -> None:
    assert parse_shard("0/1") == Shard(0, 1)
    assert parse_shard(" 07/8 ") == Shard(7, 8)
    for text in ("", "1", "8/8", "0/0", "-1/8", "1/-8", "a/8", "1/8/9", "1.0/8", "١/8", "1" * 30 + "/8"):
        with pytest.raises(SettingError, match="--shard must be i/n with i from 0 to n-1"):
            parse_shard(text)


def test_names_are_shown_in_one_line() -> None:
    assert shown(STDIN) == "stdin"
    assert shown("a\nb\x1b") == "a\ufffdb\ufffd"
    assert shown(os.fsdecode(b"a\xff")) == "a\ufffd"


# URLs


def test_a_file_by_url(cloud: str) -> None:
    assert sources([f"{cloud}/a.log"]) == [Source(f"{cloud}/a.log", "a.log", 5)]


def test_a_directory_by_url(cloud: str) -> None:
    assert inside(cloud) == ["a.log", "b.log"]
    assert inside(f"{cloud}/", recursive=True) == ["a.log", "b.log", "deep/c.log.gz", "deep/er/d.log"]
    assert sources([cloud])[0] == Source(f"{cloud}/a.log", "a.log", 5)


def test_a_pattern_by_url(cloud: str) -> None:
    assert sources([f"{cloud}/*.log"]) == [
        Source(f"{cloud}/a.log", "a.log", 5),
        Source(f"{cloud}/b.log", "b.log", 5),
    ]
    assert inside(f"{cloud}/**/*.log") == ["a.log", "b.log", "deep/er/d.log"]
    assert inside(f"{cloud}/*") == ["a.log", "b.log"]
    assert inside(f"{cloud}/*", recursive=True) == ["a.log", "b.log", "deep/c.log.gz", "deep/er/d.log"]
    assert inside("memory://bucket/l*/deep/*") == ["logs/deep/c.log.gz"]


def test_urls_of_files_are_as_files(tree: Path) -> None:
    url = f"file://{tree}"
    for recursive in (False, True):
        by_url = sources([url], recursive=recursive)
        by_path = sources([str(tree)], recursive=recursive)
        assert [(source.inside, source.size) for source in by_url] == [
            (source.inside, source.size) for source in by_path
        ]
        assert [source.name for source in by_url] == [f"file://{source.name}" for source in by_path]


def test_urls_that_name_nothing_are_refused(cloud: str) -> None:
    check_refused(f"{cloud}/x.log", words=f"no file is named {cloud}/x.log")
    check_refused(f"{cloud}/*.zip", words=r"no file fits memory://bucket/logs/\*.zip")
    check_refused(f"{cloud}/empty", words="the directory .* holds no file; --recursive reads")
    check_refused("nowhere://x/y", words="nowhere://x/y cannot be read: its scheme is not known")


def test_without_its_package_a_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_refused(
        "s3://bucket/logs", words=r"cannot be read without more packages: pip install 'dial-enricher\["
    )
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    check_refused("memory://x", words="cannot be read without more packages")
