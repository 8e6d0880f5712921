# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves against Nova itself that what the collection writes and sends is what Nova does.

    python3 -m never_booted.golden bury INSTANCES.yml STATE.json
        creates the listed instances while no host takes any, and keeps what Nova's API sent
    ... golden prepare STATE.json
        prepares them, puts them back, prepares them again, and compares all with Nova
    ... golden build STATE.json
        has them built, and keeps what the collection sent
    ... golden verify STATE.json
        compares what was sent, and looks at the instances that came of it

Each ends with an error that says what is not as Nova has it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import openstack
import yaml
from expecting import require
from lab_access import connect

from . import built, cloud, tables
from .build_messages import BuildMessages
from .crash import BUILD, PREP, databases, say, with_cloud
from .exceptions import BUILD_REQUEST, LOADED, MESSAGE, Exceptions
from .modules import run, succeed, use_collections

SECONDS = 180
# Nova makes no such rows for an instance that never was on a host, nor removes any: devices of
# hosts, usage of guests, shares of guests, and tables that nothing of Nova uses any more.
NO_ROWS = ["consoles", "fixed_ips", "pci_devices", "share_mapping", "volume_usage_cache"]
TWINS = ("twin-ours", "twin-nova")


def bury(instances: str, state: str) -> None:
    entries = yaml.safe_load(Path(instances).read_text(encoding="utf-8"))
    admin = connect()
    for entry in entries:
        if isinstance(entry.get("flavor"), dict):
            entry["flavor"] = _flavor(admin, entry["flavor"])
    with BuildMessages() as bus:
        ids = _bury(admin, entries)
        messages = bus.wait_for(set(ids.values()), SECONDS)
    made = {}
    for entry in entries:
        message = messages[ids[entry["name"]]]
        for number, request in enumerate(message["args"]["build_requests"]):
            uuid = request["nova_object.data"]["instance_uuid"]
            made[uuid] = {"entry": entry, "number": number, "message": message}
    Path(state).write_text(json.dumps(made), encoding="utf-8")
    say(f"{len(made)} instances are buried")


def _bury(admin: Any, entries: list[dict[str, Any]]) -> dict[str, str]:
    """As cloud.bury, with one host enabled and down: a zone with no enabled host cannot be named."""
    cloud.set_room(room=False)
    _force_down(admin, forced=True)
    demo = connect("-demo")
    ids = {entry["name"]: cloud.create(demo, entry) for entry in entries}
    cloud.wait(demo, "ERROR", "", sum(entry.get("min_count", 1) for entry in entries))
    return ids


def _force_down(admin: Any, *, forced: bool) -> None:
    service = next(each for each in admin.compute.services() if each.binary == "nova-compute")
    body = {"status": "enabled", "forced_down": forced}
    answer = admin.compute.put(f"/os-services/{service.id}", json=body)
    openstack.exceptions.raise_from_response(answer)


def _flavor(admin: Any, wanted: dict[str, Any]) -> str:
    specs = wanted.pop("extra_specs", {})
    made = admin.compute.create_flavor(**wanted)
    if specs:
        admin.compute.create_flavor_extra_specs(made, specs)
    return str(wanted["name"])


class Golden:
    """The buried instances, and what Nova's API sent when they were created."""

    def __init__(self, state: str) -> None:
        self._state = Path(state)
        self._made = json.loads(self._state.read_text(encoding="utf-8"))
        self._named = {made["entry"]["name"]: uuid for uuid, made in self._made.items()}
        twins = [self._named[name] for name in TWINS]
        self._uuids = [uuid for uuid in self._made if uuid not in twins]

    def prepare(self) -> None:
        ours, novas = (self._named[name] for name in TWINS)
        for number, uuid in enumerate(self._made, start=1):
            tables.add_soft_deleted_rows(uuid, number)
            if uuid in (ours, novas):
                tables.add_rare_rows(uuid, number)
            self._keep_networks(uuid)
        everyone = list(self._made)
        before = tables.checksums(everyone)
        succeed(PREP, {**databases(), "instances": everyone})
        succeed(PREP, {**databases(), "instances": everyone, "state": "buried"})
        after = tables.checksums(everyone)
        different = [name for name in before if before[name] != after[name]]
        require(not different, f"not put back as they were: {different}")
        say(f"put back exactly: {len(before)} tables")
        self._compare_removal(ours, novas)
        succeed(PREP, {**databases(), "instances": self._uuids})
        self._compare_stored()

    def _keep_networks(self, uuid: str) -> None:
        requests = self._made[uuid]["message"]["args"]["requested_networks"]
        fields = [each["nova_object.data"] for each in requests["nova_object.data"]["objects"]]
        networks: Any = [
            {
                word: each[name]
                for word, name in (
                    ("port", "port_id"),
                    ("network", "network_id"),
                    ("fixed_ip", "address"),
                    ("tag", "tag"),
                )
                # The API has looked up a port's network.
                if each.get(name) and not (each.get("port_id") and word not in ("port", "tag"))
            }
            for each in fields
        ]
        if networks == [{"network": "none"}]:
            networks = "none"
        succeed("network_request", {**with_cloud(), "instances": [uuid], "networks": networks})

    def _compare_removal(self, ours: str, novas: str) -> None:
        """Rows of every table of cell0 that go with an instance, by the collection and by Nova."""
        without = tables.without_rows_of(novas)
        # Not every release has every table.
        known = [name for name in NO_ROWS if name in tables.names()]
        require(without == known, f"no rows to be removed in {without}, but in {known}")
        start = tables.counts()
        succeed(PREP, {**databases(), "instances": [ours]})
        between = tables.counts()
        nova("hard-delete", novas)
        by_us, by_nova = start - between, between - tables.counts()
        require(by_nova == by_us, f"Nova removes {dict(by_nova)}, the collection {dict(by_us)}")
        say(f"removed as Nova does: {by_us.total()} rows of {len(by_us)} tables")

    def _compare_stored(self) -> None:
        """What Nova loads of what was written, and what its API has sent of it."""
        loaded = nova("load", *self._uuids)
        exceptions = Exceptions(LOADED | BUILD_REQUEST)
        for uuid in self._uuids:
            made, found = self._made[uuid], loaded[uuid]
            sent, number = made["message"]["args"], made["number"]
            pairs = (
                ("build_request", found["build_request"], sent["build_requests"][number]),
                ("request_spec", found["request_spec"], sent["request_specs"][number]),
                ("requested_networks", found["requested_networks"], sent["requested_networks"]),
            )
            exceptions.check(made["entry"]["name"], pairs)
        exceptions.done()
        say("Nova loads from its database what its API has sent")

    def build(self) -> None:
        _force_down(connect(), forced=False)
        cloud.set_room(room=True)
        good = [uuid for uuid in self._uuids if "ends" not in self._made[uuid]["entry"]]
        bad = [uuid for uuid in self._uuids if uuid not in good]
        files = {
            uuid: [
                {"path": each["path"], "content": each["contents"]}
                for each in self._made[uuid]["entry"]["personality"]
            ]
            for uuid in good
            if "personality" in self._made[uuid]["entry"]
        }
        options = {**with_cloud(), "instances": good, "injected_files": files, "poll_interval": 2}
        with BuildMessages() as bus:
            succeed(BUILD, options)
            say(f"{len(good)} instances are built")
            done = run(BUILD, {**options, "instances": bad, "injected_files": {}})
            messages = bus.wait_for(set(self._uuids), SECONDS)
        ends = {each["uuid"]: each["result"] for each in done.result["instances"]}
        wanted = {uuid: self._made[uuid]["entry"]["ends"] for uuid in bad}
        require(ends == wanted, f"{done.result}")
        for uuid, message in messages.items():
            self._made[uuid]["sent"] = message
        self._state.write_text(json.dumps(self._made), encoding="utf-8")

    def verify(self) -> None:
        self._compare_sent()
        built.require_as_asked_for({uuid: self._made[uuid] for uuid in self._uuids})
        say("every instance is what its user asked for")

    def _compare_sent(self) -> None:
        exceptions = Exceptions(MESSAGE | BUILD_REQUEST)
        for uuid in self._uuids:
            made, ours = self._made[uuid], self._made[uuid]["sent"]
            original = {**made["message"], "args": dict(made["message"]["args"])}
            for name in ("build_requests", "request_specs"):
                # An instance of a batch is sent alone.
                original["args"][name] = [original["args"][name][made["number"]]]
            names = {*ours, *original} - {"args"}
            envelopes = [{name: each.get(name) for name in names} for each in (ours, original)]
            pairs = [("message", envelopes[0], envelopes[1])]
            pairs += [
                (name, ours["args"].get(name), original["args"].get(name))
                for name in sorted({*ours["args"], *original["args"]})
            ]
            exceptions.check(made["entry"]["name"], pairs)
        exceptions.done()
        say("what is sent is what Nova's API has sent")


def nova(command: str, *uuids: str) -> Any:
    """What Nova's own code says, by the lab's Python."""
    program = Path(__file__).parent.parent / "nova_database"
    python = Path(os.environ["OPENSTACK_LAB_VENV"], "bin", "python")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [python, program, command, *uuids],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    require(done.returncode == 0, f"nova_database {command}: {done.stderr[-2000:]}")
    return json.loads(done.stdout) if done.stdout else None


def main(arguments: list[str]) -> None:
    use_collections()
    match arguments:
        case ["bury", instances, state]:
            bury(instances, state)
        case ["prepare", state]:
            Golden(state).prepare()
        case ["build", state]:
            Golden(state).build()
        case ["verify", state]:
            Golden(state).verify()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
