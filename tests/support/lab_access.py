# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command, its own code, and its cloud."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openstack

_FOLDER = Path(__file__).resolve().parents[1] / "lab"
LAB = _FOLDER / "lab"
MICROVERSION = "2.93"


def lab(*command: str) -> None:
    """For example: lab("partition", "compute-1")."""
    done = subprocess.run([str(LAB), *command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"lab {' '.join(command)}: {done.stdout}{done.stderr}")


def lab_module(name: str) -> Any:
    """One of the lab's own."""
    if str(_FOLDER) not in sys.path:
        sys.path.insert(0, str(_FOLDER))
    return importlib.import_module(f"openstack_lab.{name}")


def lab_settings() -> Any:
    settings = lab_module("settings").recall()
    if settings is None:
        sys.exit("there is no lab: these tests need one")
    return settings


def connect(suffix: str = "") -> Any:
    """:param suffix: of the cloud's name, for another account, as in ``-demo``."""
    cloud = openstack.connect(cloud=os.environ["OS_CLOUD"] + suffix)
    cloud.compute.default_microversion = MICROVERSION
    return cloud


def nova_manage(*words: str, files: Iterable[str] = ()) -> str:
    """What it prints.

    :param files: of configuration, beside the controller's nova.conf.
    """
    command = [f"{os.environ['OPENSTACK_LAB_VENV']}/bin/nova-manage"]
    for file in (os.environ["OPENSTACK_LAB_NOVA_CONF"], *files):
        command += ["--config-file", file]
    # The tools' Python is another one than Nova's.
    environment = {key: text for key, text in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        sys.exit(f"nova-manage {' '.join(words)}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout
