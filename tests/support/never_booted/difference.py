# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where two of Nova's primitives differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

UNSET = "(unset)"


class Difference(NamedTuple):
    """A place such as build_request/instance/flavor/description, @version or @changes."""

    path: str
    ours: Any
    original: Any


def differences(ours: Any, original: Any, path: str) -> Iterator[Difference]:
    """Every place where they differ, an object's version and its changed fields included."""
    if isinstance(ours, dict) and isinstance(original, dict):
        if _is_object(ours) and _is_object(original):
            yield from _objects(ours, original, path)
            return
        for name in sorted({*ours, *original}):
            yield from differences(
                ours.get(name, UNSET), original.get(name, UNSET), f"{path}/{name}"
            )
    elif isinstance(ours, list) and isinstance(original, list) and len(ours) == len(original):
        for number, pair in enumerate(zip(ours, original, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif ours != original or type(ours) is not type(original):
        yield Difference(path, ours, original)


def _is_object(value: dict[str, Any]) -> bool:
    return "nova_object.data" in value


def _objects(ours: dict[str, Any], original: dict[str, Any], path: str) -> Iterator[Difference]:
    for name in ("name", "namespace", "version"):
        pair = [each[f"nova_object.{name}"] for each in (ours, original)]
        if pair[0] != pair[1]:
            yield Difference(f"{path}@{name}", *pair)
    # Their order tells nothing.
    changes = [sorted(each.get("nova_object.changes", ())) for each in (ours, original)]
    if changes[0] != changes[1]:
        yield Difference(f"{path}@changes", *changes)
    yield from differences(_data(ours), _data(original), path)


def _data(value: dict[str, Any]) -> Any:
    data = value["nova_object.data"]
    if value["nova_object.name"] != "TagList":
        return data
    # Nova's databases have no order of tags.
    return {"objects": sorted(data["objects"], key=lambda tag: str(tag["nova_object.data"]["tag"]))}
