# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers that an operator gives, and the least that each may be."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import RecoveryError


def require_at_least(bounds: Mapping[str, tuple[float | None, float]]) -> None:
    """
    :param bounds: by the name of the option its value (None: not given) and its minimum.
    :raises RecoveryError: ``invalid_options``, for the first that is too small.
    """
    for name, (value, minimum) in bounds.items():
        if value is not None and value < minimum:
            raise RecoveryError(
                "invalid_options", f"{name} must be at least {minimum}, not {value}"
            )
