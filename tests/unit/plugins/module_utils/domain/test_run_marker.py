# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mark that a run leaves on the service that it has disabled."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.run_marker import (
    disabled_reason,
    run_id_of,
)
from hypothesis import given
from hypothesis import strategies as st


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.text())
def test_what_is_written_is_found_again(run_id: str, text: str) -> None:
    reason = disabled_reason(run_id, text)
    assert run_id_of(reason) == run_id
    assert len(reason) <= 255


@pytest.mark.parametrize(
    "reason",
    [
        None,
        "",
        "power supply burnt",
        "see openstack_recovery run=1: x",
        "openstack_recovery run=",
        "openstack_recovery run=two words: x",
    ],
)
def test_what_a_person_wrote_is_no_mark(reason: str | None) -> None:
    assert run_id_of(reason) is None
