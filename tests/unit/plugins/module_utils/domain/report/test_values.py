# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that other modules and other versions have written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.report.values import (
    as_list,
    as_mapping,
    mappings,
    moment,
    number,
    text,
    texts,
)
from hypothesis import given
from hypothesis import strategies as st

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything)
def test_nothing_that_is_given_breaks_a_report(value: Any) -> None:
    assert text(value) != ""
    assert all(texts(value))
    assert all(isinstance(one, dict) for one in mappings(value))
    assert isinstance(as_list(value), list)
    assert isinstance(as_mapping(value), dict)
    assert moment(value) is None or moment(value).utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert number(value) is None or abs(number(value) or 0) < float("inf")


@pytest.mark.parametrize(
    "given_time",
    ["2026-11-22T03:08:28", "2026-11-22T03:08:28Z", "2026-11-22T04:08:28+01:00"],
)
def test_a_time_is_utc_unless_it_says_otherwise(given_time: str) -> None:
    assert moment(given_time) == datetime(2026, 11, 22, 3, 8, 28, tzinfo=UTC)


def test_a_number_may_have_become_a_text_and_a_truth_is_none() -> None:
    assert number("12.5") == 12.5
    assert number(True) is None
    assert number(None) is None
    assert number(10**400) is None
