# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a run over many instances."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)


@pytest.mark.parametrize(
    "fields",
    [
        *({name: 0} for name in ("concurrency", "instance_timeout", "timeout", "poll_interval")),
        {"verify_timeout": 0},
        {"max_failures": -1},
    ],
)
def test_settings_that_make_no_sense(fields: dict[str, Any]) -> None:
    with pytest.raises(RecoveryError, match=next(iter(fields))) as error:
        OperationSettings(**fields).validate(wait=True)
    assert error.value.code == "invalid_options"


def test_what_is_not_waited_for_is_not_verified() -> None:
    OperationSettings(max_failures=None).validate(wait=True)
    with pytest.raises(RecoveryError, match="wait=false"):
        OperationSettings().validate(wait=False)
