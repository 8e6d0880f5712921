# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud that does not answer for a moment is asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .clock import Clock
from .errors import ApiUnavailable
from .progress import Watcher

# How long a cloud that does not answer is waited for.
PATIENCE = 60.0
_RETRY = 5.0

_Answer = TypeVar("_Answer")


def ask_patiently(ask: Callable[[], _Answer], clock: Clock, watcher: Watcher) -> _Answer:
    """What ``ask`` returns, which only reads.

    :raises RecoveryError: what ``ask`` raises; ApiUnavailable only after PATIENCE seconds of it.
    """
    began = clock.monotonic()
    while True:
        try:
            return ask()
        except ApiUnavailable as error:
            if clock.monotonic() - began + _RETRY > PATIENCE:
                raise
            watcher.send(f"the cloud does not answer, trying again: {error.message}")
            clock.sleep(_RETRY)
