# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances a rule matches, and when one rule covers another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Subject,
    covers,
    matches,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    Match,
)
from fakes import policies, values
from hypothesis import given

DATABASE = Subject(
    name="db-1",
    project_id="p-1",
    project_name="acme",
    metadata={"tier": "database"},
    tags=frozenset({"gold", "ssd"}),
    extra_specs={"ha:level": "gold"},
    image_properties={"os_distro": "debian"},
    aggregates=frozenset({"fast"}),
)
OF = frozenset


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, True),
        ({"metadata": {"tier": None}}, True),
        ({"metadata": {"tier": OF({"database", "queue"})}}, True),
        ({"metadata": {"tier": OF({"Database"})}}, False),
        ({"metadata": {"tier": None, "other": None}}, False),
        ({"tags": OF({"gold", "silver"})}, True),
        ({"tags": OF({"silver"})}, False),
        ({"extra_specs": {"ha:level": OF({"gold"})}}, True),
        ({"image_properties": {"os_distro": OF({"centos"})}}, False),
        ({"aggregates": OF({"fast"})}, True),
        ({"aggregates": OF({"slow"})}, False),
        ({"projects": OF({"acme"})}, True),
        ({"projects": OF({"p-1"})}, True),
        ({"projects": OF({"acm"})}, False),
        ({"names": OF({"db-*"})}, True),
        ({"names": OF({"db"})}, False),
        ({"names": OF({"DB-*"})}, False),
        ({"names": OF({"web-*", "db-[0-9]"})}, True),
        ({"names": OF({"db-*"}), "tags": OF({"silver"})}, False),
    ],
)
def test_all_that_is_given_must_hold(match: dict[str, Any], expected: bool) -> None:
    assert matches(Match(**match), DATABASE) is expected


def test_an_instance_without_a_project_name_matches_no_name() -> None:
    assert not matches(Match(projects=OF({"acme"})), replace(DATABASE, project_name=None))


def test_an_instance_tells_most_itself() -> None:
    instance = values.instance(
        metadata={"tier": "web"}, tags=OF({"x"}), extra_specs={"hw:cpu_policy": "dedicated"}
    )
    assert Subject.of(instance) == Subject(
        name="web-1",
        project_id="project",
        metadata={"tier": "web"},
        tags=OF({"x"}),
        extra_specs={"hw:cpu_policy": "dedicated"},
    )


@pytest.mark.parametrize(
    ("general", "special", "expected"),
    [
        ({"metadata": {"a": None}}, {"metadata": {"a": OF({"x"})}}, True),
        ({"metadata": {"a": OF({"x"})}}, {"metadata": {"a": None}}, False),
        ({"metadata": {"a": OF({"x", "y"})}}, {"metadata": {"a": OF({"x"}), "b": None}}, True),
        ({"metadata": {"a": OF({"x"})}}, {"metadata": {"a": OF({"x", "y"})}}, False),
        ({"tags": OF({"x", "y"})}, {"tags": OF({"x"}), "names": OF({"z"})}, True),
        ({"tags": OF({"x"}), "names": OF({"z"})}, {"tags": OF({"x"})}, False),
        ({"names": OF({"*"})}, {"tags": OF({"x"})}, True),
        # It does, but patterns are not understood.
        ({"names": OF({"z*"})}, {"names": OF({"za"})}, False),
    ],
)
def test_which_covers_which(
    general: dict[str, Any], special: dict[str, Any], expected: bool
) -> None:
    assert covers(Match(**general), Match(**special)) is expected


@given(policies.matches, policies.matches, policies.subjects)
def test_what_covers_another_matches_all_that_it_does(
    general: Match, special: Match, subject: Subject
) -> None:
    if covers(general, special) and matches(special, subject):
        assert matches(general, subject)


@given(policies.matches, policies.matches, policies.subjects)
def test_two_conditions_together_match_what_both_match(
    one: Match, other: Match, subject: Subject
) -> None:
    both = replace(one, aggregates=other.aggregates, tags=other.tags)
    alone = replace(Match(), aggregates=other.aggregates, tags=other.tags)
    rest = replace(one, aggregates=OF(), tags=OF())
    assert matches(both, subject) is (matches(alone, subject) and matches(rest, subject))


@given(policies.matches)
def test_everything_covers_and_each_covers_itself(match: Match) -> None:
    assert covers(Match(), match)
    assert covers(match, match)
    assert covers(match, Match()) is (match == Match() or match == Match(names=match.names | {"*"}))


@given(policies.matches)
def test_what_it_needs_is_what_is_given(match: Match) -> None:
    assert match.needs == {f for f in Match.__dataclass_fields__ if getattr(match, f)}
