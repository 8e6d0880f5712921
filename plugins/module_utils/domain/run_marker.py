# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disabled_reason by which a run marks the compute service that it has disabled.

It tells a service that a recovery run has disabled from one that a person has, and lets a later
run go on under the same run id.
"""

from __future__ import annotations

import re

from .errors import RecoveryError

_RUN_ID = r"[A-Za-z0-9._-]{1,64}"
_MARK = re.compile(rf"^openstack_recovery run=(?P<run_id>{_RUN_ID})(?::|$)")
# Length of Nova's column.
_MAX_LENGTH = 255


def require_run_id(run_id: str) -> None:
    """:raises RecoveryError: ``invalid_options`` for one that could not be found again."""
    if not re.fullmatch(_RUN_ID, run_id):
        raise RecoveryError(
            "invalid_options",
            f"a run id has 1 to 64 letters, digits, dots, dashes and underscores, not '{run_id}'",
        )


def disabled_reason(run_id: str, text: str) -> str:
    """For example: openstack_recovery run=20260301T021500-7f3a: host failed.

    :raises RecoveryError: ``invalid_options``.
    """
    require_run_id(run_id)
    return f"openstack_recovery run={run_id}: {text}"[:_MAX_LENGTH]


def run_id_of(reason: str | None) -> str | None:
    """The run id in a disabled_reason, None when no run wrote it."""
    match = _MARK.match(reason or "")
    return match["run_id"] if match else None
