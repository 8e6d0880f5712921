# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a database can refuse in a way that a caller must act on."""

from __future__ import annotations

from typing import Any

from ..errors import RecoveryError


class DatabaseConflict(RecoveryError):
    """Another transaction was in the way; all of ours is undone and can be done again, as a whole."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__("database_conflict", message, retriable=True, details=details)


class CommitInDoubt(RecoveryError):
    """The connection was lost during COMMIT: all of it is true or nothing; look which."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__("commit_in_doubt", message, retriable=True, details=details)
