# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data from a file, with every problem of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.node import (
    Node,
)
from hypothesis import given
from hypothesis import strategies as st

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
)


def problems(node: Node) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in node.problems]


def test_places_are_named_from_the_top() -> None:
    root = Node({"rules": [{"match": {}}, {"match": {"tags": 1}}]})
    root.fields(["rules"])["rules"].items()[1].fields(["match"])["match"].fields(["tags"])[
        "tags"
    ].text()
    assert problems(root) == [
        ("rules[1].match.tags", "must be text, not the number 1: put it in quotes")
    ]


def test_a_key_that_is_nearly_right_is_guessed() -> None:
    root = Node({"metdata": 1, "zzz": 2})
    assert root.fields(["metadata", "tags"], required=["tags"]) == {}
    assert problems(root) == [
        ("metdata", "unknown key (did you mean metadata?)"),
        ("zzz", "unknown key (known are metadata, tags)"),
        ("", "tags is missing"),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "nothing"),
        (True, "the truth value true"),
        (1.5, "the number 1.5"),
        ("x", "the text 'x'"),
        ([], "a list"),
        (b"", "bytes"),
    ],
)
def test_it_says_what_is_there_instead(value: Any, said: str) -> None:
    node = Node(value, "here")
    assert node.mapping() == {}
    assert problems(node) == [("here", f"must be a mapping, not {said}")]


def test_keys_are_text() -> None:
    node = Node({1: "a", "": "b", "c": "d"})
    assert list(node.mapping()) == ["c"]
    assert [message for _path, message in problems(node)] == [
        "the key 1 must be text: put it in quotes",
        "the key '' must be text: put it in quotes",
    ]


@pytest.mark.parametrize(("value", "good"), [(1, True), (5, True), (0, False), (6, False)])
def test_numbers_have_bounds(value: int, good: bool) -> None:
    node = Node(value)
    assert node.whole_number(1, 5) == (value if good else 1)
    assert bool(node.problems) is not good


def test_a_number_without_an_upper_bound() -> None:
    node = Node(-1)
    node.whole_number(0)
    assert problems(node) == [("", "must be a whole number of 0 or more, not -1")]


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None])
def test_what_is_no_whole_number(value: Any) -> None:
    node = Node(value)
    node.whole_number(0, 5)
    assert len(node.problems) == 1


@pytest.mark.parametrize("value", ["true", 1, 0, None])
def test_what_is_no_truth_value(value: Any) -> None:
    node = Node(value)
    assert node.truth() is False
    assert len(node.problems) == 1


def test_texts_are_one_or_several() -> None:
    assert Node("a").texts() == {"a"}
    assert Node(["a", "b"]).texts() == {"a", "b"}
    for wrong in ([], "", ["a", ""], ["a", 1], {}):
        node = Node(wrong)
        node.texts()
        assert len(node.problems) == 1, wrong


@given(anything)
def test_each_reading_gives_its_type_or_a_problem(value: Any) -> None:
    readings: dict[str, type] = {
        "mapping": dict,
        "items": list,
        "text": str,
        "texts": frozenset,
        "truth": bool,
    }
    for name, kind in readings.items():
        node = Node(value)
        assert isinstance(getattr(node, name)(), kind)
    node = Node(value)
    assert node.choice(["a", "b"]) in ("a", "b")
    assert bool(node.problems) is (value not in ("a", "b"))
