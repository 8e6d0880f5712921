# mypy: disable-error-code="import-not-found,import-untyped,misc,no-untyped-call"
"""A virt driver whose guests are files: nova/virt/openstack_lab.py after installation.

A guest is <state_path>/guests/<instance uuid>, a JSON file with its name and power state. It
survives nova-compute, as a real guest does, so that anyone can see from outside which hosts
run a guest: two files of one UUID are a split brain. Deleting a file is a crashed guest.
<state_path>/capacity.json, if there, sets the host's size: {"vcpus", "memory_mb", "local_gb"}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import nova.conf
from nova import exception
from nova.virt import fake

CONF = nova.conf.CONF


class _Guest:
    """One guest; setting its state writes the file."""

    def __init__(self, path: Path, name: str, state: int) -> None:
        self._path = path
        self.uuid = path.name
        self.name = name
        self._state = state

    @property
    def state(self) -> int:
        return self._state

    @state.setter
    def state(self, value: int) -> None:
        self._state = value
        self.write()

    def write(self) -> None:
        scratch = self._path.parent.parent / f".{self.uuid}.new"
        scratch.write_text(json.dumps({"name": self.name, "power_state": self._state}) + "\n")
        scratch.replace(self._path)


class _Guests(MutableMapping[str, Any]):
    """The folder of guests as the dictionary that Nova's fake driver works on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, uuid: str) -> _Guest:
        path = self._folder / uuid
        try:
            guest = json.loads(path.read_text())
        except FileNotFoundError:
            raise KeyError(uuid) from None
        return _Guest(path, guest["name"], guest["power_state"])

    def __setitem__(self, uuid: str, guest: Any) -> None:
        _Guest(self._folder / uuid, guest.name, guest.state).write()

    def __delitem__(self, uuid: str) -> None:
        try:
            (self._folder / uuid).unlink()
        except FileNotFoundError:
            raise KeyError(uuid) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.name for path in self._folder.iterdir()))

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.iterdir())

    def __contains__(self, uuid: object) -> bool:
        return (self._folder / str(uuid)).exists()


def _base() -> type[Any]:
    # The class without random node UUIDs came with 2023.1; before that there were none.
    found: type[Any] = getattr(fake, "FakeDriverWithoutFakeNodes", fake.FakeDriver)
    return found


class GuestFileDriver(_base()):
    """Nova's own fake driver, with guests that outlive the process."""

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        self.instances = _Guests(Path(CONF.state_path) / "guests")

    def _apply_capacity(self) -> None:
        path = Path(CONF.state_path) / "capacity.json"
        wanted = json.loads(path.read_text()) if path.exists() else {}
        for name in ("vcpus", "memory_mb", "local_gb"):
            size = wanted.get(name, getattr(type(self), name))
            setattr(self, name, size)
            setattr(self.resources, name, size)

    def spawn(self, context: Any, instance: Any, *arguments: Any, **options: Any) -> None:
        if (Path(CONF.state_path) / "refuse-spawn").exists():
            raise exception.BuildAbortException(
                instance_uuid=instance.uuid, reason="this host refuses to start guests"
            )
        super().spawn(context, instance, *arguments, **options)

    def get_available_resource(self, nodename: str) -> Any:
        self._apply_capacity()
        return super().get_available_resource(nodename)

    def update_provider_tree(
        self, provider_tree: Any, nodename: str, allocations: Any = None
    ) -> None:
        self._apply_capacity()
        super().update_provider_tree(provider_tree, nodename, allocations=allocations)

    def destroy(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        # The base class complains about a guest that is gone already; that is normal here.
        if instance.uuid in self.instances:
            super().destroy(context, instance, *args, **kwargs)

    def power_off(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        # As with libvirt, one that is not there is off. For the base class it is an instance that was
        # deleted, and a rebuild of it then hangs.
        if instance.uuid in self.instances:
            super().power_off(instance, *args, **kwargs)

    def post_live_migration(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        # The base class leaves the guest on the source, which would look like a split brain.
        self.destroy(context, instance, None)
