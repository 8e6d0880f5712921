# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances with networks of every kind fail while ansible-rulebook listens, and are rebuilt."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from expecting import require, wait
from lab_access import connect
from never_booted import auto_network, cloud
from never_booted.crash import say, with_cloud
from never_booted.modules import succeed, use_collections

from . import rabbit

_INSTANCES: list[dict[str, Any]] = [
    {"name": "nowhere", "networks": "none"},
    {
        "name": "two",
        "networks": [
            {"network": "lab-net", "fixed_ip_of_subnet": 77, "tag": "front"},
            {"network": "lab-net-2", "port": "given-port", "tag": "back"},
        ],
    },
    {"name": "batch", "min_count": 3, "max_count": 3},
    {"name": "twice", "networks": [{"network": "lab-net"}, {"network": "lab-net"}]},
]
_UNHEARD, _AUTO, _DIED = "unheard", "auto", "died"
_RULEBOOK_SECONDS = 240


def keep(folder: Path) -> None:
    """Have them fail, and see that what each requested is stored. Writes ``requested.json``."""
    use_collections()
    demo, admin, other = connect("-demo"), connect(), connect("-other")
    auto_network.share_with(admin, demo.current_project_id)
    auto_network.topology(admin)
    unheard = cloud.bury([{"name": _UNHEARD}])[_UNHEARD]
    with rabbit.account("capture", rabbit.BUILD_MESSAGES) as url, rulebook(folder, url) as log:
        automatic = cloud.create(other, {"name": _AUTO, "networks": _AUTO})
        cloud.bury(_INSTANCES)
        ids = {server.name: server.id for server in demo.compute.servers()} | {_AUTO: automatic}
        ids[_DIED] = cloud.died(_DIED)
        del ids[_UNHEARD]
        expected = _expected(demo, ids)
        wait(
            "the networks of all",
            lambda: _stored(list(ids.values())) == {ids[name]: expected[name] for name in ids},
            _RULEBOOK_SECONDS,
        )
        text = log.read_text(encoding="utf-8")
        require("Traceback" not in text, f"the rulebook broke: {text}")
    rabbit.wait_for_none()
    (instance,) = _listed([unheard])
    codes = [reason["code"] for reason in instance["verdict"]["reasons"]]
    require(codes == ["networks_unknown"], f"created while nobody listened: {instance}")
    (folder / "requested.json").write_text(
        json.dumps({"ids": ids, "expected": expected}), encoding="utf-8"
    )
    say("kept: none, two with address, port and tags, a batch, auto, and one that died")


@contextlib.contextmanager
def rulebook(
    folder: Path, url: str, playbook: dict[str, Any] | None = None, **variables: Any
) -> Iterator[Path]:
    """ansible-rulebook with the rulebook as it is shipped; its log.

    :param playbook: variables of the playbook that it starts, in addition; the others are its own.
    """
    shutil.rmtree(folder / "rulebook", ignore_errors=True)
    made = folder / "rulebook"
    made.mkdir(mode=0o700, parents=True)
    (made / "url").write_text(url, encoding="utf-8")
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"hosts": {"localhost": host}, "vars": with_cloud() | (playbook or {})}}
    (made / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    variables["nova_transport_url_file"] = str(made / "url")
    (made / "variables.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    log = made / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(
                    "ansible-rulebook",
                    "--rulebook",
                    "openstack_recovery.nova.instance_build_failed",
                ),
                *("--inventory", str(made / "inventory.yml")),
                *("--vars", str(made / "variables.yml")),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        rabbit.wait_for_listener()
        yield log
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _expected(demo: Any, ids: dict[str, str]) -> dict[str, Any]:
    """What each has requested, by its name, in the words of network_request."""
    network = {name: demo.network.find_network(name).id for name in ("lab-net", "lab-net-2")}
    subnet = next(demo.network.subnets(network_id=network["lab-net"]))
    address = f"{subnet.cidr.rsplit('.', 1)[0]}.77"
    port = demo.network.find_port("given-port").id
    plain = {"network": network["lab-net"]}
    of_name = {
        "nowhere": "none",
        "two": [{**plain, "fixed_ip": address, "tag": "front"}, {"port": port, "tag": "back"}],
        "twice": [plain, plain],
        _AUTO: "auto",
    }
    return {name: of_name.get(name, [plain]) for name in ids}


def _listed(uuids: list[str]) -> list[dict[str, Any]]:
    listed = succeed("cell0_instance_info", {**with_cloud(), "instances": uuids})
    return list(listed["instances"])


def _stored(uuids: list[str]) -> dict[str, Any]:
    """Of those whose networks are stored."""
    return {
        instance["uuid"]: instance["requested_networks"]
        for instance in _listed(uuids)
        if instance["networks_source"] == "stored"
    }


def compare(folder: Path) -> None:
    """Each runs, once, on the networks that it requested."""
    known = json.loads((folder / "requested.json").read_text(encoding="utf-8"))
    admin = connect()
    for name, uuid in known["ids"].items():
        server = admin.compute.get_server(uuid)
        require(server.status == "ACTIVE", f"{name} is {server.status}: {server.fault}")
        require(cloud.guests(uuid) == [server.compute_host], f"{name} runs on {cloud.guests(uuid)}")
        ports = list(admin.network.ports(device_id=uuid))
        _require_networks(admin, name, known["expected"][name], ports)
        rows = f"FROM nova_cell1.virtual_interfaces WHERE instance_uuid = '{uuid}' AND deleted = 0"
        tags = {tag for (tag,) in cloud.sql(f"SELECT tag {rows}") if tag}
        require(tags == ({"front", "back"} if name == "two" else set()), f"{name} has tags {tags}")
    say(f"rebuilt: {len(known['ids'])} instances as they were requested")


def _require_networks(admin: Any, name: str, expected: Any, ports: list[Any]) -> None:
    if expected == "none":
        require(not ports, f"{name} has ports: {ports}")
        return
    if expected == "auto":
        (port,) = ports
        network = admin.network.get_network(port.network_id)
        require(network.name == "auto_allocated_network", f"{name} is on {network.name}")
        return
    require(len(ports) == len(expected), f"{name} has ports {ports}")
    left = list(ports)
    for wanted in expected:
        fitting = [port for port in left if _fits(port, wanted)]
        require(fitting, f"{name} has no port for {wanted}: {ports}")
        left.remove(fitting[0])
    states = {port.status for port in ports}
    require(states == {"ACTIVE"}, f"the ports of {name} are {states}")


def _fits(port: Any, wanted: dict[str, str]) -> bool:
    addresses = {ip["ip_address"] for ip in port.fixed_ips}
    return (
        wanted.get("port") in (None, port.id)
        and wanted.get("network") in (None, port.network_id)
        and ("fixed_ip" not in wanted or wanted["fixed_ip"] in addresses)
    )
