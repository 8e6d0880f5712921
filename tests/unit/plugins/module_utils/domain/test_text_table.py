# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables of text."""

from __future__ import annotations

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.text_table import (
    text_table,
)


def test_columns_are_as_wide_as_they_must_be() -> None:
    assert text_table(("a", "bb"), [("ccc", "d"), ("e", "")]) == [
        "a    bb",
        "---  --",
        "ccc  d",
        "e",
    ]


def test_wide_characters_take_two_columns_and_accents_none() -> None:
    lines = text_table(("n", "x"), [("名前", "1"), ("Zoe\u0308", "2")])
    assert lines[1:] == ["----  -", "名前  1", "Zoe\u0308   2"]
