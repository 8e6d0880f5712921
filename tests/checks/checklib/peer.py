"""Other collections: openstack.cloud, whose connection options are compared with ours, and awx.awx,
whose modules load what is in extensions/awx.

Galaxy is not always reachable where the tests run, PyPI is: they are taken out of the `ansible`
package, which bundles them.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from . import cache
from .layout import Layout, SetupError
from .toolenv import call, uv

_INSIDE = ("ansible_collections/awx/awx/", "ansible_collections/openstack/cloud/")


def other_collections(layout: Layout) -> Path:
    """The folder that holds `ansible_collections/openstack/cloud` and `ansible_collections/awx/awx`."""
    lock = layout.checks / "other_collections.txt"
    version = next(
        line.split("==")[1].split()[0]
        for line in lock.read_text(encoding="utf-8").splitlines()
        if line.startswith("ansible==")
    )
    folder = layout.cache / f"other-collections-of-ansible-{version}"
    cache.ensure(folder, lambda target: _extract(layout, lock, target))
    return folder


def _extract(layout: Layout, lock: Path, target: Path) -> None:
    python = uv(layout).parent / "python"
    with tempfile.TemporaryDirectory(dir=target) as download:
        arguments = ["download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        arguments += ["--no-cache-dir", "--dest", download, "-r", str(lock)]
        call(layout, "other-collections", str(python), "-m", "pip", *arguments)
        wheel = next(Path(download).glob("ansible-*.whl"), None)
        if wheel is None:
            raise SetupError(f"pip downloaded no wheel for {lock}")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target, [n for n in archive.namelist() if n.startswith(_INSIDE)])
    missing = [folder for folder in _INSIDE if not (target / folder).is_dir()]
    if missing:
        shutil.rmtree(target)
        raise SetupError(f"{wheel.name} does not hold {', '.join(missing)}")
