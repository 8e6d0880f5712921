# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages as Nova 33.0.2 sent them on the lab, and the event sources that read them.

In the recorded ones secrets are replaced by texts that begin with SECRET.
"""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.openstack_recovery.nova.plugins.module_utils import adapters

_PLUGINS = Path(next(iter(adapters.__path__))).parents[2] / "extensions/eda/plugins"
_RECORDED = json.loads(
    (Path(__file__).parents[1] / "data" / "nova_messages.json").read_text(encoding="utf-8")
)


def load(name: str) -> SimpleNamespace:
    """A file of the event sources, as ansible-rulebook loads it."""
    return SimpleNamespace(**runpy.run_path(str(_PLUGINS / f"{name}.py")))


def call(name: str) -> dict[str, Any]:
    """A recorded message, to be changed at will."""
    found: dict[str, Any] = copy.deepcopy(_RECORDED[name]["call"])
    return found


def key(name: str) -> str:
    """Its routing key."""
    return str(_RECORDED[name]["key"])


def body(message: dict[str, Any] | str) -> str:
    """In its envelope, as it is on the bus. A text is the name of a recorded one."""
    inside = call(message) if isinstance(message, str) else message
    return json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(inside)})


def instances(message: dict[str, Any]) -> list[str]:
    """Of a message to the conductor."""
    return [each["nova_object.data"]["instance_uuid"] for each in message["args"]["build_requests"]]


async def listen(source: SimpleNamespace, arguments: dict[str, Any], events: int) -> list[Any]:
    """So many events of a source, which is cancelled then."""
    queue: asyncio.Queue[Any] = asyncio.Queue(1)
    running = asyncio.create_task(source.main(queue, arguments))
    found = [await asyncio.wait_for(queue.get(), 10) for _time in range(events)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)
    return found


def documented_defaults(source: SimpleNamespace) -> dict[str, Any]:
    """Of the options of a source, where its documentation has any."""
    options = yaml.safe_load(source.DOCUMENTATION)["options"]
    kinds = {"str": str, "int": int, "bool": bool, "list": list}
    return {
        name: option["default"] if "default" in option else kinds[option["type"]]()
        for name, option in options.items()
    }


def defaults(settings: Any) -> dict[str, Any]:
    """Of the arguments. A choice of all counts as none that is documented."""
    made = settings(transport_url="rabbit://host")
    found = {field.name: getattr(made, field.name) for field in dataclasses.fields(settings)} | {
        "transport_url": ""
    }
    if "event_types" in found:
        found["event_types"] = []
    return found
