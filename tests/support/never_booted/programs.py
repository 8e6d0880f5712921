# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills, starts and freezes single programs of the lab."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from lab_access import lab, lab_module, lab_settings


def _supervisor() -> Any:
    return lab_module("supervisor").Supervisor(lab_settings())


def kill(*names: str) -> None:
    """By SIGKILL."""
    _supervisor().kill(*names)


def start(name: str) -> None:
    """Start a program that is dead, and wait until its port answers."""
    lab("restart", name)


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
