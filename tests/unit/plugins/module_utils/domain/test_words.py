# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that people write as words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.words import words
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", []),
        (" , ", []),
        ("web-1", ["web-1"]),
        ("web-1,web-2, web-3\nweb-4\n", ["web-1", "web-2", "web-3", "web-4"]),
        (["web 1", 2], ["web 1", 2]),
        ((), []),
    ],
)
def test_words_and_lists(value: Any, found: list[Any]) -> None:
    assert words(value) == found


def test_paths_have_spaces() -> None:
    assert words(" my reports/a.json,b.json,\n", at_spaces=False) == ["my reports/a.json", "b.json"]


@pytest.mark.parametrize("value", [None, 5, {"a": 1}])
def test_what_is_neither_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="a list is needed"):
        words(value)


@given(
    st.lists(
        st.text(st.characters(exclude_characters=", \t\n", categories=["L", "N"]), min_size=1)
    ),
    st.sampled_from([",", ", ", " ", "\n", ",\n"]),
)
def test_what_was_joined_is_found_again(wanted: list[str], between: str) -> None:
    assert words(between.join(wanted)) == wanted
