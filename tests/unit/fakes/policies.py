# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies and instances that hypothesis makes up, of few words so that rules do match."""

from __future__ import annotations

from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.matching import (
    Subject,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.policy.policy import (
    Match,
)
from hypothesis import strategies as st

words = st.sampled_from(["a", "b", "c"])
word_sets = st.frozensets(words, max_size=2)
mappings = st.dictionaries(words, words, max_size=2)
values = st.none() | st.frozensets(words, min_size=1, max_size=2)
wanted = st.dictionaries(words, values, max_size=2)

subjects = st.builds(
    Subject,
    name=words,
    project_id=words,
    project_name=st.none() | words,
    metadata=mappings,
    tags=word_sets,
    extra_specs=mappings,
    image_properties=mappings,
    aggregates=word_sets,
)
matches = st.builds(
    Match,
    metadata=wanted,
    tags=word_sets,
    extra_specs=wanted,
    image_properties=wanted,
    aggregates=word_sets,
    projects=word_sets,
    names=st.frozensets(st.sampled_from(["a", "b", "*", "[ab]", "?"]), max_size=2),
)

_texts = words | st.lists(words, min_size=1, max_size=2, unique=True)
_keys = st.dictionaries(words, st.just(True) | _texts, min_size=1, max_size=2)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


settings = _some(
    evacuate=st.booleans(),
    leave_off=st.booleans(),
    priority=st.integers(1, 1000),
    priority_from_metadata=words,
    restart_group=st.sampled_from(["first", "second"]),
    preemptible=st.just(False) | st.fixed_dictionaries({"value": st.integers(1, 1000)}),
    reshape=st.just(False) | st.fixed_dictionaries({"flavor": words}),
)
match_data = _some(
    metadata=_keys,
    tags=_texts,
    extra_specs=_keys,
    image_properties=_keys,
    aggregates=_texts,
    projects=_texts,
    names=st.sampled_from(["a", "*", "[ab]"]),
)


@st.composite
def policy_data(draw: st.DrawFn) -> dict[str, Any]:
    """Well-formed, but its rules may contradict each other."""
    rules = []
    for number in range(draw(st.integers(0, 4))):
        stated = draw(settings.filter(bool))
        rules.append({"name": f"rule {number}", "match": draw(match_data), **stated})
    return {
        "version": 1,
        "selection": draw(st.sampled_from(["opt_in", "opt_out"])),
        "rules": rules,
        "restart_groups": [{"name": "first", "wait": 5}, {"name": "second"}],
    }
