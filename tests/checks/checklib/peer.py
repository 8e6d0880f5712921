"""openstack.cloud, for the test that compares connection options with ours.

Galaxy is not always reachable where the tests run, PyPI is: the collection is
taken out of the `ansible` package, which bundles it.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from . import cache
from .layout import Layout, SetupError
from .toolenv import call, uv

_INSIDE = "ansible_collections/openstack/cloud/"


def openstack_cloud(layout: Layout) -> Path:
    """The folder that holds `ansible_collections/openstack/cloud`."""
    lock = layout.checks / "openstack_cloud.txt"
    version = next(
        line.split("==")[1].split()[0]
        for line in lock.read_text(encoding="utf-8").splitlines()
        if line.startswith("ansible==")
    )
    folder = layout.cache / f"openstack_cloud-from-ansible-{version}"
    cache.ensure(folder, lambda target: _extract(layout, lock, target))
    return folder


def _extract(layout: Layout, lock: Path, target: Path) -> None:
    python = uv(layout).parent / "python"
    with tempfile.TemporaryDirectory(dir=target) as download:
        arguments = ["download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        arguments += ["--no-cache-dir", "--dest", download, "-r", str(lock)]
        call(layout, "openstack-cloud", str(python), "-m", "pip", *arguments)
        wheel = next(Path(download).glob("ansible-*.whl"), None)
        if wheel is None:
            raise SetupError(f"pip downloaded no wheel for {lock}")
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(_INSIDE)]
            archive.extractall(target, names)
    if not names:
        shutil.rmtree(target)
        raise SetupError(f"{wheel.name} holds no {_INSIDE}")
