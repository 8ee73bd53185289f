"""The image, built step by step as the Dockerfile says, and run as a careful engine runs it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import support
from tests.container import NOBODY, Root, check_possible, copy_tree, surely_ended, tell
from tests.debian import make_base
from tests.dockerfile import read
from tests.image import Image, build, make_context
from tests.support import GOOD_LINES, PLAIN, ROOT, SAMPLE, Done, finish, read_some, through

STAGES = read((ROOT / "deploy" / "Dockerfile").read_text())
PYTHON = f"python{STAGES[0].base.removeprefix('python:').partition('-')[0]}"
PACKAGES = f"/opt/dial-enricher/lib/{PYTHON}/site-packages"
STATE = "/var/lib/dial-enricher"
ANYBODY = "1000680000:0"
"""A user of OpenShift: any number, which no file knows, and the group of root."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not pytest's own, which is kept: a built image is large."""
    check_possible()
    with TemporaryDirectory(prefix="dial-enricher-image-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def base(folder: Path) -> Root:
    return make_base(STAGES[0].base, folder)


@pytest.fixture(scope="module")
def image(base: Root, folder: Path) -> Image:
    make_context(ROOT, folder / "context")
    return build(STAGES, base, folder / "context", folder)


def start(
    image: Image,
    *arguments: str,
    user: str | None = None,
    volumes: Mapping[Path, str] | None = None,
    stdin: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    command = (*image.entrypoint, *arguments)
    return image.root.start(*command, user=user or image.user, volumes=volumes, stdin=stdin)


def run(
    image: Image,
    *arguments: str,
    stdin: bytes = b"",
    user: str | None = None,
    volumes: Mapping[Path, str] | None = None,
) -> Done:
    with surely_ended(start(image, *arguments, user=user, volumes=volumes)) as process:
        return finish(process, stdin)


def test_a_file_that_is_not_the_one_in_the_lock_stops_the_build(base: Root, folder: Path) -> None:
    context = folder / "wrong"
    make_context(ROOT, context)
    lock = (context / "requirements.lock").read_text()
    (context / "requirements.lock").write_text(re.sub(r"sha256:\w+", f"sha256:{0:064}", lock))
    with pytest.raises(AssertionError, match="DO NOT MATCH THE HASHES"):
        build(STAGES[:1], base, context, context)


def test_only_the_program_and_bytecode_are_added(base: Root, image: Image) -> None:
    """No tools, caches or sources of the build, no settings of pip; and of the packages no tests."""
    added = files(image.root) - files(base)
    ours = {name for name in added if name.startswith("opt/dial-enricher/")}
    assert {Path(name).suffix for name in added - ours} == {".pyc"}
    assert [name for name in ours if {"tests", "pip", "setuptools", ".cache"} & {*Path(name).parts}] == []
    assert files(base) <= files(image.root)


def files(root: Root) -> set[str]:
    return {str(path.relative_to(root.path)) for path in root.path.rglob("*") if not path.is_dir()}


def test_what_is_installed_is_what_the_lock_names(image: Image) -> None:
    locked = set(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    names = [path.name for path in image.root.inside(PACKAGES).glob("*.dist-info")]
    found = {tuple(name.removesuffix(".dist-info").replace("_", "-").rsplit("-", 1)) for name in names}
    assert {name for name, _ in found - locked} == {"dial-enricher"}
    assert {"orjson", "lingua-language-detector"} <= {name for name, _ in found}
    assert not {"pytest", "mypy", "hatchling"} & {name for name, _ in found}


def test_bytecode_is_there_and_is_not_compared_with_times(image: Image) -> None:
    """Python's own modules have it too, which the base lacks."""
    for folder in (PACKAGES, f"/usr/lib/{PYTHON}/json", f"/usr/lib/{PYTHON}/asyncio"):
        sources = [*image.root.inside(folder).rglob("*.py")]
        assert sources
        for source in sources:
            (compiled,) = source.parent.glob(f"__pycache__/{source.stem}.*.pyc")
            assert compiled.read_bytes()[4:8] == b"\1\0\0\0", source  # by hash, unchecked


def test_it_is_run_as_nobody_on_a_read_only_system(image: Image) -> None:
    """The other tests mean nothing without this one; a shell has the place of the program."""
    folders = f"/ /dev /opt /run /tmp /var/tmp {STATE}"
    script = f"id -u; id -g; id -G; echo $$; for one in {folders}; do ! test -w $one || echo $one; done"
    with surely_ended(image.root.start("sh", "-c", script, user=image.user)) as process:
        done = finish(process)
    assert (done.err, done.out.split()) == ("", [b"65534", b"65534", b"65534", b"1"])


def test_it_tells_its_version(image: Image) -> None:
    assert run(image, "--version").out.startswith(b"dial-enricher, version ")


@pytest.mark.parametrize("user", [NOBODY, ANYBODY])
def test_points_are_those_of_the_program_outside(image: Image, user: str) -> None:
    """Languages and topics too: they are tags, so a replay elsewhere has to find the same."""
    data = SAMPLE.read_bytes()
    inside, outside = run(image, stdin=data, user=user), support.run(stdin=data)
    assert (inside.code, inside.out) == (0, outside.out)
    for column in (rb"language", rb"topic"):
        assert len({*re.findall(rb",%s=((?:\\.|[^, ])*)" % column, inside.out)}) > 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_read_is_delivered_after_a_signal(image: Image, number: signal.Signals) -> None:
    """The program is PID 1, which the kernel protects from signals that it does not handle."""
    stdin, pipe = os.pipe()
    data = b"".join(GOOD_LINES[:12])
    options = (*PLAIN, "--max-delay", "0", "--batch-lines", "2")
    with surely_ended(start(image, *options, stdin=stdin)) as process:
        os.write(pipe, GOOD_LINES[0])
        out = read_some(process)  # it has begun
        os.write(pipe, data)
        tell(process, number)
        done = finish(process)
    os.close(stdin)
    os.close(pipe)
    assert (done.code, done.err) == (128 + number, "")
    assert out + done.out == through(GOOD_LINES[0] + data).out


@pytest.mark.parametrize("user", [NOBODY, ANYBODY])
def test_a_new_volume_for_its_state_can_be_written(image: Image, user: str, tmp_path: Path) -> None:
    volume = new_volume(image, tmp_path)
    done = run(
        image,
        *PLAIN,
        "--dead-letter",
        f"{STATE}/dead",
        stdin=b"no json\n",
        user=user,
        volumes={volume: STATE},
    )
    assert (done.code, done.out) == (0, b"")
    assert b'"invalid_json"' in (volume / "dead").read_bytes()


def new_volume(image: Image, folder: Path) -> Path:
    """An engine makes a named volume from what the image has in its place, owner and mode too."""
    volume = folder / "volume"
    copy_tree(image.root.inside(STATE), volume)
    return volume


def test_a_followed_log_goes_on_in_the_next_container(image: Image, tmp_path: Path) -> None:
    logs, volume = tmp_path / "logs", new_volume(image, tmp_path)
    logs.mkdir()
    volumes = {logs: "/app/log", volume: STATE}
    options = ("--follow", "--checkpoint", f"{STATE}/state", "--max-delay", "0")
    for number, share in enumerate((GOOD_LINES[:40], GOOD_LINES[40:90], GOOD_LINES[90:])):
        with (logs / f"aidial-2026-03-0{number // 2 + 1}.0.log").open("ab") as log:
            log.write(b"".join(share))
        expected = through(b"".join(share)).out
        got = b""
        with surely_ended(
            start(image, *PLAIN, *options, "/app/log/aidial-*.log", volumes=volumes)
        ) as process:
            while len(got) < len(expected):
                some = read_some(process)
                assert some, "the program has ended, or waits"
                got += some
            tell(process, signal.SIGTERM)
            done = finish(process)
        assert (done.code, done.err, got + done.out) == (143, "", expected)
