# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers that are too small are refused by name."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.bounds import (
    require_at_least,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)


@pytest.mark.parametrize("wrong", [0, -1])
def test_limits_that_make_no_sense(wrong: int) -> None:
    with pytest.raises(RecoveryError, match="concurrency_per_source") as caught:
        require_at_least({"timeout": (1, 1), "concurrency_per_source": (wrong, 1)})
    assert caught.value.code == "invalid_options"
    require_at_least({"concurrency_per_source": (1, 1)})
    require_at_least({"concurrency_per_source": (None, 1)})
