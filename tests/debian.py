"""The image that ours is built on, put together from Debian's own packages of the same Debian and Python."""

import os
import platform
import re
import shutil
from pathlib import Path

from tests.container import Root, output
from tests.support import needed

KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
BASE = re.compile(r"python:(?P<python>\d+\.\d+)-slim-(?P<release>[a-z]+)")
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_base(name: str, folder: Path) -> Root:
    """A root in the state of python:VERSION-slim-RELEASE: a small Debian, `python`, no bytecode."""
    match = BASE.fullmatch(name)
    assert match, name
    archives = _packages(match["release"], f"python{match['python']}-venv", folder / "apt")
    root = folder / "base"
    root.mkdir()
    for archive in archives:
        output("dpkg-deb", "--extract", archive, root)
    for kind in ("passwd", "group"):  # done by a script of the package, and scripts are not run
        shutil.copy(root / f"usr/share/base-passwd/{kind}.master", root / f"etc/{kind}")
    (root / "usr/local/bin").mkdir(parents=True)
    (root / "usr/local/bin/python").symlink_to(f"/usr/bin/python{match['python']}")
    assert not (root / "usr/bin/gcc").exists() and not [*root.rglob("*.pyc")]
    return Root(root, {"PATH": PATH, "PYTHON_VERSION": match["python"]})


def _packages(release: str, python: str, folder: Path) -> list[Path]:
    """Fetches what a small Debian consists of, Python, and what they need, with an apt of its own."""
    for name in ("lists/partial", "archives/partial", "sources"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"Types: deb\nURIs: {_mirror()}\nSuites: {release}\nComponents: main\nSigned-By: {KEYS}\n"
    (folder / "sources" / "debian.sources").write_text(source)
    options = {
        "Dir::State": folder,
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Etc::sourcelist": os.devnull,
        "Dir::Etc::sourceparts": folder / "sources",
        "Dir::Etc::preferencesparts": os.devnull,
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
    }
    apt = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]
    output(*apt, "update", "--error-on=any")
    output(*apt, "--yes", "--download-only", "install", "~E", "apt", "ca-certificates", python)
    return sorted((folder / "archives").glob("*.deb"))


def _mirror() -> str:
    """Where this machine gets Debian from."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    uris = output("apt-get", "update", "--print-uris")
    found = re.search(rf"^'(\S+?)/?/dists/{re.escape(release)}/InRelease'", uris, re.MULTILINE)
    if not (found and KEYS.exists()):
        needed("a Debian, with its archive keyring")
    assert found
    return found[1]
