# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions as the role fence_host calls them, with plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RecoveryError
from .attempt import Attempt, libvirt_attempt, power_attempt
from .judgement import judge_fencing
from .methods import LIBVIRT, POLICIES


def fencing_attempt(
    result: Mapping[str, Any],
    method: str,
    libvirt: Mapping[str, Any] | None = None,
    *,
    check_mode: bool = False,
) -> dict[str, Any]:
    """One attempt, from the results of its modules.

    :param result: of the method: of power_state, or of libvirt_instance with state ``absent``.
    :param libvirt: of libvirt_instance with state ``gathered`` afterwards; empty where it was not
        asked.
    """
    if method == LIBVIRT:
        return libvirt_attempt(libvirt or {}, result or None, check_mode=check_mode).as_dict()
    return power_attempt(result, method, libvirt or None, check_mode=check_mode).as_dict()


def fencing_judgement(
    attempts: Sequence[Mapping[str, Any]],
    methods: Sequence[str],
    on_unreachable_bmc: str = POLICIES[0],
) -> dict[str, Any]:
    """Whether the attempts have fenced the host.

    :raises RecoveryError: ``invalid_options``
    """
    if on_unreachable_bmc not in POLICIES:
        raise RecoveryError(
            "invalid_options", f"on_unreachable_bmc is one of {', '.join(POLICIES)}"
        )
    return judge_fencing(
        [Attempt(**attempt) for attempt in attempts], methods, on_unreachable_bmc
    ).as_dict()
