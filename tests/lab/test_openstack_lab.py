"""The lab's own decisions; that it works is seen by whoever uses it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
from pathlib import Path
from types import ModuleType

import pytest
from openstack_lab import facts, faults, host_process, host_programs, install, programs, readiness
from openstack_lab.config_common import Lab
from openstack_lab.console import LabError
from openstack_lab.settings import HOSTS, PROFILES, Settings, recall, remember, resolve


@pytest.fixture(params=PROFILES)
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    for name in [name for name in os.environ if name.startswith("OPENSTACK_LAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENSTACK_LAB_STATE", "/tmp/openstack-lab-test")
    monkeypatch.setenv("OPENSTACK_LAB_CACHE", str(tmp_path / "cache"))
    return resolve(None, 20000, None, request.param)


def test_every_program_that_is_started_exists(settings: Settings) -> None:
    made = [program.name for program in programs.all_programs(settings, install.locate(settings))]
    started = [*programs.infrastructure(settings), *programs.services(settings)]
    assert sorted(made) == sorted(started)
    assert len(set(made)) == len(made)


def test_every_host_has_a_program_whose_report_is_waited_for(settings: Settings) -> None:
    reports = readiness.reports(settings)
    waited = [reports[name][1] for name in host_programs.computes(settings)]
    assert waited == [f"{host}/nova-compute" for host in HOSTS]


def test_power_is_taken_from_all_but_the_bmc(settings: Settings) -> None:
    for host in HOSTS:
        names = host_programs.of(settings, host)
        mine = {
            program.name
            for program in host_programs.programs(settings, install.locate(settings))
            if program.name.endswith(host)
        }
        assert mine - {*names.at_power_on, names.compute} == ({names.bmc} - {None})


def test_profile_is_remembered(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENSTACK_LAB_STATE", str(tmp_path))
    remember(resolve(None, 20000, None, settings.profile))
    found = recall()
    assert found is not None
    assert found.profile == settings.profile


def test_unknown_profile_is_refused(settings: Settings) -> None:
    with pytest.raises(LabError, match="fake or libvirt"):
        resolve(None, None, None, f"{settings.profile}x")


@pytest.mark.parametrize(
    ("target", "fault", "seconds"),
    [
        ("nova-api", "99", None),
        ("nova-api", "hang", None),
        ("libvirtd-compute-1", "lies", None),
        ("libvirtd-compute-9", "hang", None),
        ("bmc-compute-1", "503", None),
        ("bmc-compute-1", "hang", 5.0),
    ],
)
def test_impossible_faults_are_refused(
    settings: Settings, target: str, fault: str, seconds: float | None
) -> None:
    with pytest.raises(LabError):
        faults.set_fault(settings, target, fault, seconds)


def test_facts_tell_the_hosts_apart(settings: Settings) -> None:
    found = json.loads(facts.hosts_json(Lab(settings, "secret")))
    assert list(found) == list(HOSTS)
    for key in ("libvirt_uri", "libvirt_socket_uri", "libvirt_host_uuid", "instances_path"):
        assert len({host[key] for host in found.values()}) == len(HOSTS)
    for key in ("url", "system_id", "system_url", "serial_number", "host_name"):
        assert len({host["bmc"][key] for host in found.values()}) == len(HOSTS)


def test_process_that_is_no_first_one_is_no_host(tmp_path: Path) -> None:
    (tmp_path / "init.pid").write_text(f"{os.getpid()}\n")
    assert host_process.init_process(tmp_path) is None
    assert host_process.init_process(tmp_path / "none") is None


def test_processes_are_found_by_namespace_and_name() -> None:
    space = Path("/proc/self/ns/pid").readlink()
    name = Path("/proc/self/comm").read_text().strip()
    assert os.getpid() in host_process.members(space)
    assert os.getpid() in host_process.members(space, name)
    assert os.getpid() not in host_process.members(space, f"{name}x")
    assert host_process.members(Path("pid:[0]")) == []


def test_cable_hands_on_both_ways_and_ends() -> None:
    forwarder = _load("forwarder")

    async def talk() -> tuple[bytes, bytes]:
        async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read(5)).upper())
            writer.close()

        near = socket.create_server(("127.0.0.1", 0))
        far = await asyncio.start_server(upper, "127.0.0.1")
        cable = await forwarder.serve(near, far.sockets[0].getsockname()[1], None)
        reader, writer = await asyncio.open_connection(*near.getsockname())
        writer.write(b"hello")
        answer = await reader.read(5), await reader.read()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)  # until the cable has closed its two ends
        cable.close()
        far.close()
        return answer

    assert asyncio.run(talk()) == (b"HELLO", b"")


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parent / "inside" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
