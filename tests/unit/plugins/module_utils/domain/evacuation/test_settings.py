# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings that make no sense are refused before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from fakes.scene import make_settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": 0},
        {"per_destination": 0},
        {"retries": -1},
        {"retry_delay": -1},
        {"instance_timeout": 0},
        {"timeout": 0},
        {"poll_interval": 0},
        # The lock is renewed between two looks.
        {"poll_interval": 60},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    make_settings().validate(wait=True)
    with pytest.raises(RecoveryError) as raised:
        make_settings(**wrong).validate(wait=True)
    assert raised.value.code == "invalid_options"


def test_not_waiting_is_refused() -> None:
    with pytest.raises(RecoveryError, match="not waited for"):
        make_settings().validate(wait=False)
