# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command, its own code, and its cloud."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
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
