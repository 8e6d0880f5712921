# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs of tests have in common: they wait for something, and end when it is wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def require(condition: object, message: str) -> None:
    """Ends the program unless this is true."""
    if not condition:
        sys.exit(f"WRONG: {message}")


def wait(what: str, condition: Callable[[], _T], seconds: float = 60) -> _T:
    """What ``condition()`` returns once that is true; an error in it is not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
            if found:
                return found
            seen = ""
        except Exception as error:  # noqa: BLE001 - what is being waited for is not there yet
            seen = f": {error}"
        if time.monotonic() > deadline:
            sys.exit(f"no {what} after {seconds:.0f} s{seen}")
        time.sleep(0.2)
