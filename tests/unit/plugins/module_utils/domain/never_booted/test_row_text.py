# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows as texts: what comes back is what was given, to the type."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.nova_rows import (
    InstanceRows,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.row_text import (
    dump_rows,
    load_rows,
)
from fakes.buried_instance import rows_of
from hypothesis import given
from hypothesis import strategies as st

VALUES: list[Any] = [
    None,
    0,
    1,
    -1,
    2**63 - 1,
    2**64,
    0.1,
    1e-300,
    1e300,
    "",
    "null",
    "名前 ë \u0000 \u2028 😀 \\ \" '",
    "x" * 65536,
    '{"$datetime": "2026-01-01T00:00:00"}',
    datetime.fromisoformat("2026-11-22T07:42:31"),
    datetime.fromisoformat("2026-11-22T07:42:31.000001"),
    datetime.fromisoformat("0001-01-01T00:00:00"),
    datetime.fromisoformat("9999-12-31T23:59:59.999999"),
]


def around(value: Any) -> Any:
    rows = InstanceRows(instance_uuid="u", tables={"instances": ({"uuid": "u", "value": value},)})
    found = load_rows("u", dump_rows(rows))
    assert found == rows
    return found.instance["value"]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_comes_back(value: Any) -> None:
    found = around(value)
    assert found == value
    assert type(found) is type(value)


@given(
    st.none()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.datetimes()
)
def test_any_value_comes_back(value: Any) -> None:
    found = around(value)
    assert found == value
    assert type(found) is type(value)


def test_all_rows_of_an_instance_come_back_in_order() -> None:
    rows = rows_of()
    found = load_rows(rows.instance_uuid, dump_rows(rows))
    assert found == rows
    for name, stored in rows.tables.items():
        assert [list(row) for row in found.tables[name]] == [list(row) for row in stored]


def test_it_is_short_and_readable() -> None:
    text = dump_rows(InstanceRows(instance_uuid="u", tables={"tags": ({"tag": "名"},)}))
    assert text == '{"tags":[{"tag":"名"}]}'


@pytest.mark.parametrize("value", [b"bytes", Decimal("1.10"), {1, 2}])
def test_what_would_not_come_back_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no exact text"):
        dump_rows(InstanceRows(instance_uuid="u", tables={"t": ({"value": value},)}))


def test_the_text_is_json() -> None:
    assert json.loads(dump_rows(rows_of()))["instances"][0]["display_name"] == "Zoë-名前"
