# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a policy: what is wrong with it is told as a whole, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal, TypeVar

from ..errors import RecoveryError
from .contradictions import find_contradictions
from .decision import BUILT_IN
from .node import Node
from .policy import (
    BY_PRIORITY,
    DELETE,
    FAIL,
    GROUP_TIMEOUT,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    OPT_IN,
    OPT_OUT,
    SHELVE,
    CapacityPolicy,
    MakeRoomPolicy,
    Match,
    Policy,
    Preemptible,
    Reshape,
    RestartGroup,
    Rule,
    Values,
)

VERSION = 1

_POLICY = ("version", "selection", "rules", "restart_groups", "capacity", "make_room")
_RULE = tuple(field.name for field in fields(Rule))
_MATCH = tuple(field.name for field in fields(Match))
_T = TypeVar("_T")


def parse_policy(data: Any) -> Policy:
    """The policy in this data, as YAML or JSON gives it; None is that of a run without a policy.

    :raises RecoveryError: ``invalid_policy``, with every problem in the details.
    """
    if data is None:
        return Policy()
    root = Node(data)
    policy = _policy(root)
    if not root.problems:
        root.problems.extend(find_contradictions(policy))
    if root.problems:
        count = f"{len(root.problems)} problems" if root.problems[1:] else "a problem"
        raise RecoveryError(
            "invalid_policy",
            f"the policy has {count}; nothing was done. {'; '.join(map(str, root.problems))}",
            details={"problems": [problem.as_dict() for problem in root.problems]},
        )
    return policy


def _policy(root: Node) -> Policy:
    given = root.fields(_POLICY, required=("version",))
    if (version := given.get("version")) and version.value != VERSION:
        version.problem(f"must be {VERSION}, not {version.value!r}")
    return Policy(
        selection=_read(given, "selection", lambda node: node.choice((OPT_OUT, OPT_IN)), OPT_OUT),
        rules=_read(given, "rules", lambda node: tuple(map(_rule, node.items())), ()),
        restart_groups=_read(
            given, "restart_groups", lambda node: tuple(map(_restart_group, node.items())), ()
        ),
        capacity=_read(given, "capacity", _capacity, CapacityPolicy()),
        make_room=_read(given, "make_room", _make_room, MakeRoomPolicy()),
    )


def _read(given: dict[str, Node], name: str, read: Callable[[Node], _T], default: _T) -> _T:
    return read(given[name]) if name in given else default


def _rule(node: Node) -> Rule:
    given = node.fields(_RULE, required=("name", "match"))
    if isinstance(node.value, dict) and not set(node.value) - {"name", "match"}:
        node.problem("states nothing: give at least one setting beside name and match")
    name = _read(given, "name", Node.text, "")
    if name in {rule.name for rule in BUILT_IN}:
        given["name"].problem("is the name of a built-in rule: choose another")
    return Rule(
        name=name,
        match=_read(given, "match", _match, Match()),
        evacuate=_read(given, "evacuate", Node.truth, None),
        leave_off=_read(given, "leave_off", Node.truth, None),
        priority=_read(given, "priority", _priority, None),
        priority_from_metadata=_read(given, "priority_from_metadata", Node.text, None),
        restart_group=_read(given, "restart_group", Node.text, None),
        preemptible=_read(given, "preemptible", _preemptible, None),
        reshape=_read(given, "reshape", _reshape, None),
    )


def _priority(node: Node) -> int:
    return node.whole_number(LOWEST_PRIORITY, HIGHEST_PRIORITY)


def _match(node: Node) -> Match:
    given = node.fields(_MATCH)
    return Match(
        metadata=_read(given, "metadata", _keys, {}),
        tags=_read(given, "tags", Node.texts, frozenset()),
        extra_specs=_read(given, "extra_specs", _keys, {}),
        image_properties=_read(given, "image_properties", _keys, {}),
        aggregates=_read(given, "aggregates", Node.texts, frozenset()),
        projects=_read(given, "projects", Node.texts, frozenset()),
        names=_read(given, "names", Node.texts, frozenset()),
    )


def _keys(node: Node) -> dict[str, Values]:
    found = {
        key: None if below.value is True else below.texts() for key, below in node.mapping().items()
    }
    if isinstance(node.value, dict) and not node.value:
        node.problem("is empty: name a key")
    return found


def _preemptible(node: Node) -> Preemptible | Literal[False]:
    if node.value is False:
        return False
    given = node.fields(("value", "action", "stop_first"), required=("value",))
    action = given.get("action")
    if action is not None and action.value == "stop":
        action.problem(
            "must be shelve or delete: Nova keeps what a stopped instance has allocated, so to"
            " stop it makes no room"
        )
        action = None
    read = Preemptible(
        value=_read(given, "value", _priority, LOWEST_PRIORITY),
        action=action.choice((SHELVE, DELETE)) if action else SHELVE,
        stop_first=_read(given, "stop_first", Node.truth, False),
    )
    if read.stop_first and read.action == SHELVE:
        given["stop_first"].problem("is for action: delete; shelving shuts the guest down anyway")
    return read


def _reshape(node: Node) -> Reshape | Literal[False]:
    if node.value is False:
        return False
    given = node.fields(("image", "flavor", "replace_root_disk"))
    if isinstance(node.value, dict) and not {"image", "flavor"} & set(node.value):
        node.problem("gives neither an image nor a flavor")
    read = Reshape(
        image=_read(given, "image", Node.text, None),
        flavor=_read(given, "flavor", Node.text, None),
        replace_root_disk=_read(given, "replace_root_disk", Node.truth, False),
    )
    if read.image and not read.replace_root_disk:
        given["image"].problem(
            "replaces the root disk, and what is on it is lost: accept that with"
            " replace_root_disk: true beside it, or give only a flavor"
        )
    return read


def _restart_group(node: Node) -> RestartGroup:
    given = node.fields(("name", "wait", "timeout"), required=("name",))
    return RestartGroup(
        name=_read(given, "name", Node.text, ""),
        wait=_read(given, "wait", lambda below: below.whole_number(0), 0),
        timeout=_read(given, "timeout", lambda below: below.whole_number(1), GROUP_TIMEOUT),
    )


def _capacity(node: Node) -> CapacityPolicy:
    given = node.fields(("on_shortage", "reserved_aggregate"))
    return CapacityPolicy(
        on_shortage=_read(
            given, "on_shortage", lambda below: below.choice((BY_PRIORITY, FAIL)), BY_PRIORITY
        ),
        reserved_aggregate=_read(given, "reserved_aggregate", Node.text, None),
    )


def _make_room(node: Node) -> MakeRoomPolicy:
    given = node.fields(("limit",))
    return MakeRoomPolicy(limit=_read(given, "limit", lambda below: below.whole_number(1), None))
