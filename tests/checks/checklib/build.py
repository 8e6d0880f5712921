"""Build the collection and install it: all later steps test what users get."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import cache
from .command import run
from .layout import NAME, NAMESPACE, Layout
from .report import Check, from_outcome
from .toolenv import Tools

STEP = "build"

# All that may be in the tarball, and what has to be. A tool that leaves a
# folder behind in the checkout would otherwise be shipped unnoticed.
REQUIRED = {"CHANGELOG.rst", "COPYING", "FILES.json", "MANIFEST.json", "README.md"}
REQUIRED |= {"changelogs", "docs", "meta", "plugins", "tests"}
ALLOWED = REQUIRED | {"LICENSES", "bindep.txt", "extensions", "playbooks", "requirements.txt"}
ALLOWED |= {"roles", "execution-environment.yml"}
ALLOWED_BELOW = {
    "changelogs": {"changelog.yaml", "config.yaml"},
    "extensions": {"alerting", "audit", "awx", "eda", "execution_environment"},
    "tests": {"config.yml", "sanity", "unit"},
}
FORBIDDEN_ANYWHERE = {"__pycache__", ".git", ".ansible", ".mypy_cache", ".ruff_cache"}

_KEPT_BUILDS = 4
_KEPT_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Build:
    """An installed build."""

    collections: Path

    @property
    def root(self) -> Path:
        return self.collections / "ansible_collections" / NAMESPACE / NAME


def build(layout: Layout, tools: Tools) -> tuple[list[Check], Build | None]:
    """Build, look into the tarball, install. No Build if there is nothing to test.

    Wrong content fails the run, but the other steps can still be tried.
    """
    with tempfile.TemporaryDirectory(prefix="collection-", dir=layout.cache) as folder:
        outcome = run(
            ["ansible-galaxy", "collection", "build", "--output-path", folder],
            cwd=layout.root,
            env=tools.environment(),
            log=layout.logs / "build.log",
        )
        made = from_outcome(STEP, "collection build", outcome)
        if not made.ok:
            return [made], None
        tarball = next(Path(folder).glob("*.tar.gz"))
        content = _check_content(tarball)
        installed, result = _install(layout, tools, tarball)
    return [made, content, installed], result if installed.ok else None


def unexpected(names: list[str]) -> list[str]:
    """What is wrong with a tarball that holds these paths."""
    top = {name.split("/")[0] for name in names}
    wrong = [f"not to be shipped: {name}" for name in sorted(top - ALLOWED)]
    wrong += [f"missing: {name}" for name in sorted(REQUIRED - top)]
    for name in sorted(names):
        first, *rest = name.split("/")
        below = ALLOWED_BELOW.get(first)
        if below is not None and rest and rest[0] not in below:
            wrong.append(f"not to be shipped: {name}")
        elif FORBIDDEN_ANYWHERE.intersection(rest):
            wrong.append(f"left behind by a tool: {name}")
    return wrong


def _check_content(tarball: Path) -> Check:
    start = time.monotonic()
    with tarfile.open(tarball) as archive:
        wrong = unexpected([member.name for member in archive.getmembers()])
    seconds = time.monotonic() - start
    note = f"{len(wrong)} entries" if wrong else ""
    return Check(
        STEP, "content", seconds, int(not wrong), int(bool(wrong)), note=note, tail="\n".join(wrong)
    )


def _install(layout: Layout, tools: Tools, tarball: Path) -> tuple[Check, Build]:
    """Install into a folder named after the content.

    Outside the checkout, or ansible-test would take the checkout's git
    repository for the collection's. After the content, so that two runs at
    once never pull the files from under each other.
    """
    with tarfile.open(tarball) as archive:
        listing = archive.extractfile("FILES.json")
        manifest = archive.extractfile("MANIFEST.json")
        digest = hashlib.sha256()
        for part in (listing, manifest):
            digest.update(part.read() if part else b"")
    builds = layout.cache / "builds"
    folder = builds / f"{_checkout_key(layout)}-{digest.hexdigest()[:12]}"
    result = Build(folder / "collections")
    check = Check(STEP, "collection install", 0.0, 1, note="unchanged")

    def make(target: Path) -> None:
        nonlocal check
        outcome = run(
            [
                *("ansible-galaxy", "collection", "install", "--offline", tarball),
                *("--collections-path", result.collections),
            ],
            cwd=target,
            # Named here too, or ansible-galaxy warns that the path is not a configured one.
            env=tools.environment() | {"ANSIBLE_COLLECTIONS_PATH": str(result.collections)},
            log=layout.logs / "install.log",
        )
        check = from_outcome(STEP, "collection install", outcome)
        if not check.ok:
            raise _NotInstalled

    try:
        cache.ensure(folder, make)
    except _NotInstalled:
        return check, result
    (folder / "used").touch()
    _forget_old(builds, _checkout_key(layout), keep=folder)
    return check, result


class _NotInstalled(Exception):
    """Keeps the marker of a complete build from being written."""


def _checkout_key(layout: Layout) -> str:
    return hashlib.sha256(str(layout.root).encode()).hexdigest()[:8]


def _forget_old(builds: Path, key: str, keep: Path) -> None:
    """Drop old builds of this checkout, but none a run may still be using."""

    def age(folder: Path) -> float:
        used = folder / "used"
        return time.time() - (used if used.exists() else folder).stat().st_mtime

    others = [f for f in builds.glob(f"{key}-*") if f.is_dir() and f != keep]
    for folder in sorted(others, key=age)[_KEPT_BUILDS:]:
        if age(folder) > _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_name(folder.name + ".lock").unlink(missing_ok=True)
