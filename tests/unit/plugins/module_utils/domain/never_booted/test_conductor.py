# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ways in which a message is not delivered."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.conductor import (
    BuildSubmission,
    MessageInDoubt,
    MessageNotSent,
)

SUBMISSION = BuildSubmission(
    instance_uuid="i", request_id="req-1", context={"auth_token": "T0"}, arguments={"a": "P0"}
)


def test_not_sent_is_what_its_cause_is() -> None:
    cause = RecoveryError("x_y", "it is so", retriable=True, details={"host": "h"})
    error = MessageNotSent(SUBMISSION, cause)
    assert (error.code, error.retriable, error.request_id) == ("x_y", True, "req-1")
    assert error.details == {"host": "h", "instance": "i"}
    assert "it is so" in error.message


def test_in_doubt_is_never_retriable_and_says_where_to_look() -> None:
    error = MessageInDoubt(SUBMISSION, "nobody knows")
    assert not error.retriable
    assert "req-1" in error.message


def test_a_submission_shows_no_secret() -> None:
    assert "T0" not in repr(SUBMISSION)
    assert "P0" not in repr(SUBMISSION)
