# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error codes."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    MutationRefused,
    RecoveryError,
)


def test_what_a_module_returns() -> None:
    error = RecoveryError("code", "text", retriable=True, details={"a": 1}, request_id="req-1")
    assert error.as_dict() == {
        "code": "code",
        "retriable": True,
        "details": {"a": 1},
        "request_id": "req-1",
    }
    assert str(error) == "text"


def test_no_answer_can_be_tried_again_and_a_refusal_cannot() -> None:
    assert ApiUnavailable("no answer").retriable
    refused = ApiRefused("forbidden", "no", status=403)
    assert not refused.retriable
    assert refused.details == {"http_status": 403}
    assert not MutationRefused("POST /servers").retriable
