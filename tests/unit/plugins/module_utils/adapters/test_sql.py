# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and lists in SQL."""

from __future__ import annotations

from datetime import datetime

from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.sql import (
    in_list,
    quoted,
    scope_conditions,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.listing import (
    Scope,
)


def test_a_name_is_quoted() -> None:
    assert quoted("nova_cell0") == "`nova_cell0`"
    assert quoted("a`; DROP") == "`a``; DROP`"


def test_a_list_has_a_mark_for_each_value() -> None:
    assert in_list("uuid", iter(["a", "b"])) == ("uuid IN (%s, %s)", ("a", "b"))
    assert in_list("uuid", ["a"]) == ("uuid IN (%s)", ("a",))


def test_an_empty_list_matches_nothing() -> None:
    assert in_list("uuid", []) == ("1 = 0", ())


def test_a_scope_that_leaves_all_open_is_no_condition() -> None:
    assert scope_conditions(Scope(), "u", "p", "c") == ("", ())


def test_a_scope_is_conditions_on_the_columns_of_a_table() -> None:
    early, late = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-02-01")
    scope = Scope(
        instance_uuids=["a", "b"], project_id="x", created_after=early, created_before=late
    )
    assert scope_conditions(scope, "u", "p", "c") == (
        " AND u IN (%s, %s) AND p = %s AND c <= %s AND c >= %s",
        ("a", "b", "x", late, early),
    )
    assert scope_conditions(Scope(instance_uuids=[]), "u", "p", "c") == (" AND 1 = 0", ())
