# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates with what they were judged by."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.evidence import (
    gates_of,
)

CONFIRMATION = {
    "verdicts": ["failed", "alive"],
    "reasons": ["a gate is shut"],
    "gates": [
        {"name": "own_view", "passed": True, "reason": "2 other hosts are up"},
        {"name": "maintenance", "passed": False, "reason": "in maintenance"},
    ],
    "evidence": [
        {"name": "service", "observed_at": "2026-11-22T03:07:43+00:00", "source": "nova", "value": {"b": 1, "a": None}}
    ],
}  # fmt: skip


def test_the_confirmation() -> None:
    (section,) = gates_of({"confirmation": CONFIRMATION, "fencing": None})
    assert section["summary"] == "a gate is shut"
    assert section["aside"] == "looked at 2 times: failed, alive"
    assert [(row["name"], row["level"]) for row in section["rows"]] == [
        ("own view", "ok"),
        ("maintenance", "bad"),
    ]
    assert section["evidence"][0] == {
        "name": "service",
        "source": "nova",
        "at": "03:07:43",
        "value": '{"a": null, "b": 1}',
    }


def test_fencing() -> None:
    attempt = {"method": "redfish", "outcome": "observed_off", "evidence": {"power": "off"}}
    fencing = {
        "methods": ["redfish", "ipmi"],
        "fenced": True,
        "proceed": True,
        "by": "redfish",
        "reason": "its BMC says off",
        "attempts": [attempt],
    }
    (section,) = gates_of({"fencing": fencing})
    assert section["aside"] == "stated: redfish, ipmi"
    assert [row["reason"] for row in section["rows"]] == ["by redfish", "its BMC says off"]
    assert section["evidence"][0]["value"] == '{"evidence": {"power": "off"}}'


def test_fencing_that_nobody_has_observed() -> None:
    fencing = {
        "methods": ["none"],
        "fenced": False,
        "proceed": True,
        "by": "none",
        "reason": "stated",
    }
    (section,) = gates_of({"fencing": fencing})
    assert [(row["level"], row["reason"]) for row in section["rows"]] == [
        ("bad", "nothing was observed"),
        ("ok", "stated"),
    ]


def test_a_run_without_gates() -> None:
    assert gates_of({}) == []
