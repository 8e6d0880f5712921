# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names for a run, and for who runs it."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..domain.never_booted.journal import Author
from ..domain.run_marker import require_run_id


def operator_name() -> str:
    """Who runs this, for people: user and machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"[:200]


def holder_name() -> str:
    """Who holds a lock, for people who find the host locked: user, machine and process."""
    return f"{operator_name()} pid {os.getpid()}"


def settled_run_id(given: str | None) -> str:
    """What was given, else a new one made from the time, for example 20260301T021500-7f3a.

    :raises RecoveryError: ``invalid_options`` for one that could not be found again.
    """
    # A number on the command line is one.
    run_id = str(given or f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
    require_run_id(run_id)
    return run_id


def author_of(params: Mapping[str, Any]) -> Author:
    """Who the journal names, by a module's options ``run_id`` and ``operator``.

    :raises RecoveryError: ``invalid_options``.
    """
    return Author(
        run_id=settled_run_id(params["run_id"]), operator=params["operator"] or operator_name()
    )
