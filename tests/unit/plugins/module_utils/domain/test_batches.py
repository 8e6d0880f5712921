# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.batches import (
    in_batches,
)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        (["a"], [["a"]]),
        (["a", "b"], [["a", "b"]]),
        (["a", "b", "c", "d", "e"], [["a", "b"], ["c", "d"], ["e"]]),
    ],
)
def test_every_item_is_in_one_batch_in_the_order_given(
    items: list[str], expected: list[list[str]]
) -> None:
    assert list(in_batches(iter(items), 2)) == expected


def test_no_more_is_read_than_is_asked_for() -> None:
    endless = iter(int, 1)
    assert next(in_batches(endless, 3)) == [0, 0, 0]
