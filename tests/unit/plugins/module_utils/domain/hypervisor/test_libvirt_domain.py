# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains from XML as Nova's classes write it (LibvirtConfigGuest of 29.4.0)."""

from __future__ import annotations

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.hypervisor.libvirt_domain import (
    Disk,
    LibvirtDomain,
    read_domain,
    shown,
)

UUID = "7e3c2a53-95e7-4e3f-8f8b-7d7f3f4f0c11"
METADATA = """
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="33.0.2"/>
      <nova:name>web-1</nova:name>
      <nova:creationTime>2026-03-01 02:15:00</nova:creationTime>
      <nova:flavor name="m1.tiny">
        <nova:memory>64</nova:memory>
        <nova:disk>1</nova:disk>
        <nova:swap>0</nova:swap>
        <nova:ephemeral>0</nova:ephemeral>
        <nova:vcpus>1</nova:vcpus>
      </nova:flavor>
      <nova:owner>
        <nova:user uuid="u1">somebody</nova:user>
        <nova:project uuid="6f0c2b7a1d3e4f5a8b9c0d1e2f3a4b5c">shop</nova:project>
      </nova:owner>
      <nova:root type="image" uuid="70a599e0-31e7-49b7-b260-868f441e862b"/>
    </nova:instance>
  </metadata>"""
XML = f"""<domain type="qemu">
  <uuid>{UUID}</uuid>
  <name>instance-00000001</name>
  <memory>65536</memory>
  <vcpu>1</vcpu>{METADATA}
  <os>
    <type machine="pc">hvm</type>
  </os>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="qcow2" cache="none"/>
      <source file="/var/lib/nova/instances/{UUID}/disk"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    <disk type="network" device="disk">
      <driver name="qemu"/>
      <source protocol="rbd" name="volumes/volume-1">
        <host name="192.0.2.1" port="6789"/>
      </source>
      <target dev="vdb" bus="virtio"/>
    </disk>
    <disk type="block" device="cdrom">
      <source dev="/dev/sdx"/>
      <target dev="sda" bus="sata"/>
    </disk>
  </devices>
</domain>"""


def read(xml: str = XML, state: int = 1) -> LibvirtDomain:
    return read_domain(xml, state=state, active=True, persistent=True)


def test_a_domain_of_nova() -> None:
    domain = read()
    assert (domain.uuid, domain.name, domain.has_tpm) == (UUID, "instance-00000001", False)
    assert domain.disks == (
        Disk("vda", "file", f"/var/lib/nova/instances/{UUID}/disk"),
        Disk("vdb", "network", "rbd:volumes/volume-1"),
        Disk("sda", "block", "/dev/sdx"),
    )
    assert shown(domain)["nova"] == {
        "name": "web-1",
        "project_id": "6f0c2b7a1d3e4f5a8b9c0d1e2f3a4b5c",
        "project_name": "shop",
        "flavor": "m1.tiny",
        "created_at": "2026-03-01 02:15:00",
        "version": "33.0.2",
    }


@pytest.mark.parametrize(
    ("namespace", "is_novas"),
    [
        ("http://openstack.org/xmlns/libvirt/nova/1.0", True),
        ("http://openstack.org/xmlns/libvirt/nova/1.1", True),
        ("http://openstack.org/xmlns/libvirt/nova/", False),
        ("http://openstack.org/xmlns/libvirt/nova/1.1/other", False),
        ("http://libosinfo.org/xmlns/libvirt/domain/1.0", False),
        ("http://openstack.org.example.org/xmlns/libvirt/nova/1.1", False),
    ],
)
def test_whose_metadata_it_is(namespace: str, is_novas: bool) -> None:
    domain = read(XML.replace("http://openstack.org/xmlns/libvirt/nova/1.1", namespace))
    assert (domain.nova is not None) is is_novas
    assert (shown(domain)["nova"] is not None) is is_novas


def test_a_name_alone_makes_none_of_novas() -> None:
    assert read(XML.replace(METADATA, "")).nova is None
    outside = XML.replace(METADATA, "").replace(
        "</devices>", f"</devices><other>{METADATA}</other>"
    )
    assert read(outside).nova is None


def test_metadata_can_lack_what_is_told() -> None:
    empty = (
        '<metadata><n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.0"/></metadata>'
    )
    nova = shown(read(XML.replace(METADATA, empty)))["nova"]
    assert nova is not None
    assert set(nova.values()) == {None}


# As libvirt's documentation numbers virDomainState.
@pytest.mark.parametrize(
    ("number", "word"),
    [
        (0, "nostate"),
        (1, "running"),
        (2, "blocked"),
        (3, "paused"),
        (4, "shutdown"),
        (5, "shutoff"),
        (6, "crashed"),
        (7, "pmsuspended"),
        (8, "state_8"),
        (-1, "state_-1"),
    ],
)
def test_states_are_libvirts(number: int, word: str) -> None:
    assert read(state=number).state == word


def test_other_disks() -> None:
    devices = """<devices>
      <disk type="volume"><source pool="default" volume="a.img"/><target dev="vda"/></disk>
      <disk type="dir"><source dir="/srv/floppy"/><target dev="fda"/></disk>
      <disk type="file" device="cdrom"><target dev="sda"/></disk>
      <disk type="nvme"><source type="pci"/></disk>
      <tpm model="tpm-crb"><backend type="emulator" version="2.0"/></tpm>
    </devices>"""
    xml = f"<domain><uuid>{UUID.upper()}</uuid><name>x</name>{devices}</domain>"
    domain = read(xml)
    assert (domain.uuid, domain.has_tpm) == (UUID, True)
    assert domain.disks == (
        Disk("vda", "volume", "default/a.img"),
        Disk("fda", "dir", "/srv/floppy"),
        Disk("sda", "file", None),
        Disk("", "nvme", None),
    )


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<domain>",
        "<network><uuid>u</uuid><name>n</name></network>",
        "<domain><name>n</name></domain>",
        f"<domain><uuid>{UUID}</uuid></domain>",
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">]><domain><uuid>u</uuid><name>&a;</name></domain>',
        f"<domain><uuid>{UUID}</uuid><name>n</name><title>{'x' * 5_000_000}</title></domain>",
    ],
    ids=["empty", "cut", "network", "no uuid", "no name", "entities", "too long"],
)
def test_what_cannot_be_read(xml: str) -> None:
    with pytest.raises(RecoveryError) as caught:
        read(xml)
    assert caught.value.code == "unexpected_answer"
