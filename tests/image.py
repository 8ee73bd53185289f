"""Builds our image by its Dockerfile: the steps are read from there, and done one by one."""

import ast
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.container import Root, copy_tree, output
from tests.dockerfile import Stage, Step, Unreadable

PASSED_ON = re.compile(r"(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE", re.IGNORECASE)


@dataclass
class Image:
    """A stage, as far as it is built."""

    root: Root
    env: dict[str, str]
    user: str = "0:0"
    workdir: str = "/"
    labels: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)


def build(stages: list[Stage], base: Root, context: Path, folder: Path) -> Image:
    """The last of the stages, built in a folder, on a base that stands for the one that they name."""
    built: dict[str, Image] = {}
    for number, stage in enumerate(stages):
        path = folder / f"stage-{number}"
        copy_tree(base.path, path)
        image = Image(Root(path), dict(base.env))
        for step in stage.steps:
            _do(step, image, {name: one.root.path for name, one in built.items()} | {"": context})
        built[stage.name or str(number)] = image
    image.root = Root(path, image.env)
    return image


def _do(step: Step, image: Image, places: Mapping[str, Path]) -> None:
    """One step; files come from a place by its name, which is empty for the context."""
    match step.keyword:
        case "RUN":
            _run(step, image)
        case "COPY":
            _copy(step, image, places[step.flags.get("from", "")])
        case "ENV":
            image.env |= step.pairs(image.env)
        case "LABEL":
            image.labels |= step.pairs(image.env)
        case "WORKDIR":
            image.workdir = str(PurePosixPath(image.workdir, step.text))
            image.root.inside(image.workdir).mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = step.text
        case "ENTRYPOINT":
            image.entrypoint = step.exec_form
        case other:
            raise Unreadable(f"line {step.number}: {other}")


def _run(step: Step, image: Image) -> None:
    if image.user != "0:0" or step.text.startswith("["):
        raise Unreadable(f"line {step.number}: RUN in exec form or not as root")
    variables, mounts = network()
    env = image.env | {"HOME": "/root"} | variables
    image.root.run("/bin/sh", "-c", step.text, cwd=image.workdir, env=env, mounts=mounts)


def _copy(step: Step, image: Image, place: Path) -> None:
    """Files go by their names, and of folders what is in them, as an engine does it."""
    *sources, target = step.words
    to = image.root.inside(str(PurePosixPath(image.workdir, target)))
    for source in sources:
        found = place / source.lstrip("/")
        if not (found.is_dir() or target.endswith("/")):
            raise Unreadable(f"line {step.number}: COPY of a file to another name")
        to.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            copy_tree(found, to)
        else:
            shutil.copy(found, to)


def network() -> tuple[dict[str, str], dict[Path, str]]:
    """What pip has to be told to reach its index as it does on this machine: variables, and files to see."""
    variables = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    settings = output(sys.executable, "-m", "pip", "config", "list")
    for section in ("global", "download", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", settings, re.MULTILINE):
            variables["PIP_" + name.upper().replace("-", "_")] = ast.literal_eval(value)
    mounts = {path: str(path) for value in variables.values() for path in _paths(value)}
    return variables, mounts | {Path(f"/etc/{name}"): f"/etc/{name}" for name in ("hosts", "resolv.conf")}


def _paths(value: str) -> Iterator[Path]:
    """The files and folders here that a setting names; an index in a folder has its files beside it."""
    for word in value.split():
        url = word.startswith("file://")
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            yield path.parent if url else path


def make_context(source: Path, target: Path) -> None:
    """Copies what .dockerignore leaves: the files that an engine gets to see."""
    patterns = _patterns((source / ".dockerignore").read_text())
    for folder, _, names in os.walk(source):
        for name in names:
            path = Path(folder, name)
            if not _ignored(path.relative_to(source), patterns):
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)


def _patterns(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Each line as: does it ignore or not, and which paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = []
    for line in lines:
        pattern = line.removeprefix("!").strip("/")
        if re.search(r"[][?\\!]|\*\*(?!/)|[^/]\*\*", pattern):
            raise Unreadable(f".dockerignore: {line}")
        parts = re.split(r"(\*\*/|\*)", pattern)
        regex = "".join({"**/": "(?:.*/)?", "*": "[^/]*"}.get(part) or re.escape(part) for part in parts)
        found.append((not line.startswith("!"), re.compile(regex)))
    return found


def _ignored(path: Path, patterns: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """The last line that matches a path, or a folder it is in, decides."""
    ignored = False
    names = [str(one) for one in (path, *path.parents)][:-1]
    for ignores, regex in patterns:
        if any(regex.fullmatch(name) for name in names):
            ignored = ignores
    return ignored
