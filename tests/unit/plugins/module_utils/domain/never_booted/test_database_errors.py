# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a database can refuse in a way that a caller must act on."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    CommitInDoubt,
    DatabaseConflict,
)


def test_a_conflict_can_be_tried_again() -> None:
    error = DatabaseConflict("in the way", errno=1213)
    assert error.as_dict() == {
        "code": "database_conflict",
        "retriable": True,
        "details": {"errno": 1213},
        "request_id": None,
    }


def test_a_commit_in_doubt_is_another_thing() -> None:
    error = CommitInDoubt("lost", errno=2013)
    assert (error.code, error.retriable, error.message) == ("commit_in_doubt", True, "lost")
    assert not isinstance(error, DatabaseConflict)
