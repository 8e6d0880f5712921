# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills, starts and freezes single programs of the lab."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LAB = Path(__file__).resolve().parents[2] / "lab"


def lab_module(name: str) -> Any:
    """One of the lab's own."""
    if str(_LAB) not in sys.path:
        sys.path.insert(0, str(_LAB))
    return importlib.import_module(f"openstack_lab.{name}")


def lab_settings() -> Any:
    settings = lab_module("settings").recall()
    if settings is None:
        sys.exit("there is no lab: these tests need one")
    return settings


def _supervisor() -> Any:
    return lab_module("supervisor").Supervisor(lab_settings())


def kill(*names: str) -> None:
    """By SIGKILL."""
    _supervisor().kill(*names)


def start(name: str) -> None:
    """Start a program that is dead, and wait until its port answers."""
    subprocess.run([str(_LAB / "lab"), "restart", name], check=True, capture_output=True)


def freeze(name: str) -> None:
    _signal(name, signal.SIGSTOP)


def thaw(name: str) -> None:
    _signal(name, signal.SIGCONT)


@contextlib.contextmanager
def frozen(name: str) -> Iterator[None]:
    """It does nothing meanwhile, but its connections stay open."""
    freeze(name)
    try:
        yield
    finally:
        thaw(name)


def _signal(name: str, number: signal.Signals) -> None:
    process = _supervisor().processes()[name]
    if not process.alive:
        # The group 0 would be our own.
        sys.exit(f"{name} is dead")
    os.killpg(process.pid, number)
