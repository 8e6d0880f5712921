# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one of the cases: python -m failed_host NAME. The instances move on from case to case."""

from __future__ import annotations

import json
import os
import signal
import sys

from expecting import require, wait

from . import instances, power_cut, retirement, split_brain, torn_volume
from .stated import folder

# Longer without a look means that something can have been missed.
_LONGEST = 3.0


def main() -> None:
    name = sys.argv[1]
    if name == "prepare":
        instances.boot(split_brain.HOST)
    elif name == "split-brain":
        split_brain.run()
    elif name == "watched":
        watched()
    else:
        cases = {
            "torn-volume": torn_volume.run,
            "power-cut": power_cut.run,
            "retirement": retirement.run,
        }
        cases[name](instances.home())
    print(f"{name}: ok")


def watched() -> None:
    """The watcher saw all of it, and no instance running twice; it is ended."""
    file = folder() / "guests.json"
    os.kill(int((folder() / "guests.json.pid").read_text()), signal.SIGTERM)
    wait("last word of the watcher", lambda: '"looks"' in file.read_text(), 30)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    twice = [line for line in lines if "violation" in line]
    require(not twice, f"instances that ran twice: {twice}")
    require(lines[-1]["longest"] < _LONGEST, f"it did not look for {lines[-1]['longest']} s")
    seen = {host for line in lines for hosts in line.get("guests", {}).values() for host in hosts}
    require(len(seen) > 1, f"nothing moved: {seen}")


main()
