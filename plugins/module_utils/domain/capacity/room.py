# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has left, counted as Placement counts it, and whether an instance fits into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRequest:
    """What an instance asks of one host: amounts by resource class, and traits."""

    resources: Mapping[str, int]
    required_traits: frozenset[str] = frozenset()
    forbidden_traits: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True, eq=False)
class Inventory:
    """One resource class of one resource provider; names are Placement's.

    Two that count the same are still two: of a host with two equal GPUs, each is a provider.
    """

    total: int
    used: int = 0
    reserved: int = 0
    allocation_ratio: float = 1.0
    min_unit: int = 1
    max_unit: int = 2**31 - 1
    step_size: int = 1

    @property
    def free(self) -> int:
        """What is left; negative after the host has shrunk or a ratio was lowered."""
        return int((self.total - self.reserved) * self.allocation_ratio) - self.used

    def admits(self, amount: int) -> bool:
        """Whether Placement would let one consumer have this much."""
        return (
            amount <= self.free
            and self.min_unit <= amount <= self.max_unit
            and amount % self.step_size == 0
        )

    def why_not(self, amount: int) -> str:
        """For a person, why it does not admit this much."""
        if amount > self.free:
            return f"{max(self.free, 0)} free"
        if amount > self.max_unit:
            return f"at most {self.max_unit} for one instance"
        if amount < self.min_unit:
            return f"at least {self.min_unit} for one instance"
        return f"only multiples of {self.step_size}"


@dataclass(slots=True, kw_only=True, eq=False)
class Host:
    """A compute host with what it has left.

    :param inventories: by resource class, of each provider that the host can use. Of storage that
        hosts share it is one object in all of them, so that what one takes the others miss.
    :param traits: of all its providers.
    :param aggregates: UUIDs of the aggregates that Placement knows its root provider in.
    :param held: what each consumer holds of it, by resource class, by the consumer's id. Only where
        the host was read whole.
    """

    name: str
    inventories: dict[str, list[Inventory]] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    aggregates: frozenset[str] = frozenset()
    zone: str | None = None
    held: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def fits(self, request: ResourceRequest) -> bool:
        """Whether there is room for the request, and each trait is as it asks."""
        return (
            request.required_traits <= self.traits
            and request.forbidden_traits.isdisjoint(self.traits)
            and all(
                not amount or self._admitting(resource_class, amount) is not None
                for resource_class, amount in request.resources.items()
            )
        )

    def lacks(self, request: ResourceRequest) -> str | None:
        """For a person, the first thing that is missing here; None when the request fits."""
        if missing := request.required_traits - self.traits:
            return f"no trait {min(missing)}"
        if unwanted := request.forbidden_traits & self.traits:
            return f"has the trait {min(unwanted)}"
        for resource_class, amount in sorted(request.resources.items()):
            if amount and self._admitting(resource_class, amount) is None:
                return f"{resource_class} {amount} wanted, {self._has(resource_class, amount)}"
        return None

    def take(self, request: ResourceRequest) -> None:
        """Count the request as placed here.

        :raises ValueError: when it does not fit; nothing was taken then.
        """
        if lacking := self.lacks(request):
            raise ValueError(f"{self.name}: {lacking}")
        for resource_class, amount in request.resources.items():
            if amount and (inventory := self._admitting(resource_class, amount)):
                inventory.used += amount

    def give_back(self, request: ResourceRequest) -> None:
        """Count as free what an instance holds here; nothing of what several providers have."""
        for resource_class, amount in request.resources.items():
            if self.has_several(resource_class):
                continue
            for inventory in self.inventories.get(resource_class, ()):
                if inventory.used >= amount:
                    inventory.used -= amount

    def has_several(self, resource_class: str) -> bool:
        """Whether several providers have the resource class, as with GPUs.

        It is not looked up then of which of them an instance holds something.
        """
        return len(self.inventories.get(resource_class, ())) > 1

    def free(self, resource_class: str) -> int:
        """What is left of the resource class for all instances together, 0 if there is none."""
        return sum(max(i.free, 0) for i in self.inventories.get(resource_class, ()))

    def view(self) -> Host:
        """The same host and the same inventories, to which resource classes can be added."""
        return replace(self, inventories=dict(self.inventories))

    def _admitting(self, resource_class: str, amount: int) -> Inventory | None:
        # Placement gives all that is wanted of a class from one provider, or nothing.
        for inventory in self.inventories.get(resource_class, ()):
            if inventory.admits(amount):
                return inventory
        return None

    def _has(self, resource_class: str, amount: int) -> str:
        inventories = self.inventories.get(resource_class)
        if not inventories:
            return "none here"
        return max(inventories, key=lambda inventory: inventory.free).why_not(amount)


def have_room(providers: Iterable[Inventory], amounts: Iterable[int]) -> bool:
    """Whether so many consumers find so much each, all of it at one of these providers.

    The largest is placed first, where there is room first. So a no is not certain, but a yes is.
    """
    left = [replace(provider) for provider in providers]
    for amount in sorted(amounts, reverse=True):
        found = next((provider for provider in left if provider.admits(amount)), None)
        if found is None:
            return False
        found.used += amount
    return True


class Copies:
    """The same hosts to try something out on; what they share stays shared among the copies."""

    def __init__(self) -> None:
        # By the id of what was copied, which is kept beside it so that no other gets this id.
        self._inventories: dict[int, tuple[Inventory, Inventory]] = {}

    def of(self, hosts: Iterable[Host]) -> list[Host]:
        """One more copy of each of these hosts."""
        return [
            replace(
                host,
                inventories={
                    name: [self._of(inventory) for inventory in inventories]
                    for name, inventories in host.inventories.items()
                },
            )
            for host in hosts
        ]

    def _of(self, inventory: Inventory) -> Inventory:
        found = self._inventories.get(id(inventory))
        if found is None:
            found = self._inventories[id(inventory)] = (inventory, replace(inventory))
        return found[1]


def copied(hosts: Iterable[Host]) -> list[Host]:
    """One copy of each of these hosts."""
    return Copies().of(hosts)
