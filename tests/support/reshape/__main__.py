# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one of the cases: python -m reshape NAME. The instances move on from case to case."""

from __future__ import annotations

import sys

from . import cases, scene


def main() -> None:
    known = {
        "prepare": scene.prepare,
        "unchanged": cases.unchanged,
        "check-mode": cases.check_mode,
        "killed": cases.killed,
        "again": cases.again,
        "failures": cases.failures,
        "destination-fails": cases.destination_fails,
    }
    known[sys.argv[1]]()
    print(f"{sys.argv[1]}: ok")


main()
