# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names for a run, and for who runs it."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from datetime import UTC, datetime


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


def new_run_id() -> str:
    """For example: 20260301T021500-7f3a."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
