# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of a rebuild."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted import (
    journal,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.journal import (
    JournalEntry,
)


def test_each_state_is_open_or_closed() -> None:
    named = {
        value for name, value in vars(journal).items() if name.isupper() and isinstance(value, str)
    }
    assert named == journal.OPEN_STATES | journal.CLOSED_STATES
    assert not journal.OPEN_STATES & journal.CLOSED_STATES


def test_one_that_the_conductor_may_know_is_open() -> None:
    assert {journal.SUBMIT_INTENDED, journal.SUBMITTED} == journal.SUBMITTED_STATES
    assert journal.SUBMITTED_STATES < journal.OPEN_STATES


@pytest.mark.parametrize("state", sorted(journal.OPEN_STATES | journal.CLOSED_STATES))
def test_an_entry_knows_whether_it_is_open(state: str) -> None:
    entry = JournalEntry(id=1, instance_uuid="u", state=state, run_id="r", operator="o")
    assert entry.is_open == (state in journal.OPEN_STATES)
