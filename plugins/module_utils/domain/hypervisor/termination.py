# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a hypervisor's domains are to end, and ending them one by one.

A domain has ended when it was looked up again and is gone. What a call answered does not count.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import RecoveryError
from .hypervisor import Hypervisor, HypervisorConnection
from .libvirt_domain import LibvirtDomain, shown

# What became of a domain.
KEPT = "kept"
TERMINATED = "terminated"
NOT_RUNNING = "not_running"
ABSENT = "absent"
STILL_RUNNING = "still_running"
STILL_DEFINED = "still_defined"
UNREACHABLE = "unreachable"

_ENDED = frozenset({TERMINATED, NOT_RUNNING})
GONE = _ENDED | {ABSENT}
_LEFT = frozenset({STILL_RUNNING, STILL_DEFINED})


@dataclass(frozen=True, slots=True)
class Survey:
    """What a hypervisor has: Nova's domains, and the UUIDs of the others, which are not shown."""

    hostname: str
    domains: tuple[LibvirtDomain, ...]
    foreign: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainResult:
    """What became of one domain. ``before`` and ``now`` are what was seen; None: not there."""

    uuid: str
    result: str
    before: LibvirtDomain | None
    now: LibvirtDomain | None
    error: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """As the module returns it: the state as it is now, all else as far as it is known."""
        gone: dict[str, Any] = {"name": None, "disks": [], "nova": None}
        described = self.now or self.before
        return {
            **(shown(described) if described else gone),
            "uuid": self.uuid,
            "state": self.now.state if self.now else None,
            "active": bool(self.now and self.now.active),
            "persistent": bool(self.now and self.now.persistent),
            "state_before": self.before.state if self.before else None,
            "result": self.result,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """A domain is begun with, or (with a result) done with."""

    uuid: str
    result: DomainResult | None = None


def survey(connection: HypervisorConnection, expected_hostname: str | None) -> Survey:
    """Everything that the hypervisor has, by a connection that can only read.

    :param expected_hostname: what the hypervisor must call itself.
    :raises RecoveryError: also ``wrong_hypervisor``.
    """
    hostname, domains, foreign = "", [], set()
    for seen in connection.run(_look, read_only=True):
        if isinstance(seen, str):
            hostname = seen
        elif seen.nova is None:
            foreign.add(seen.uuid)
        else:
            domains.append(seen)
    if expected_hostname is not None and hostname != expected_hostname:
        raise RecoveryError(
            "wrong_hypervisor",
            f"the hypervisor calls itself '{hostname}' and not '{expected_hostname}'; nothing was"
            " done. Check the URI. Names must match exactly as 'openstack hypervisor list' shows"
            " them.",
            details={"hostname": hostname, "expected": expected_hostname},
        )
    return Survey(hostname, tuple(sorted(domains, key=lambda d: d.name)), frozenset(foreign))


def _look(hypervisor: Hypervisor) -> Iterator[str | LibvirtDomain]:
    yield hypervisor.hostname()
    yield from hypervisor.domains()


def listed(seen: Survey, wanted: Sequence[str] | None) -> list[DomainResult]:
    """Nova's domains, or only those that are wanted, as they are.

    :raises RecoveryError: ``domain_not_nova``.
    """
    return [
        DomainResult(uuid=uuid, result=KEPT if domain else ABSENT, before=domain, now=domain)
        for uuid, domain in _picked(seen, wanted)
    ]


def plan_termination(seen: Survey, wanted: Sequence[str] | None) -> list[DomainResult]:
    """What becomes of each of Nova's domains when those that are wanted are to end.

    :param wanted: UUIDs, or None for all of Nova's.
    :raises RecoveryError: ``domain_not_nova``.
    """
    ending = [
        DomainResult(uuid=uuid, result=_expected(domain), before=domain, now=None)
        for uuid, domain in _picked(seen, wanted)
    ]
    named = {planned.uuid for planned in ending}
    return ending + [kept for kept in listed(seen, None) if kept.uuid not in named]


def _picked(seen: Survey, wanted: Sequence[str] | None) -> list[tuple[str, LibvirtDomain | None]]:
    by_uuid = {domain.uuid: domain for domain in seen.domains}
    if wanted is None:
        return [(domain.uuid, domain) for domain in seen.domains]
    if strangers := sorted(seen.foreign & set(wanted)):
        raise _not_nova(strangers)
    return [(uuid, by_uuid.get(uuid)) for uuid in dict.fromkeys(wanted)]


def _not_nova(uuids: list[str]) -> RecoveryError:
    return RecoveryError(
        "domain_not_nova",
        f"{len(uuids)} of the named domains do not carry Nova's metadata, so Nova has not made"
        " them; nothing was done to them. Take them out of instances.",
        details={"uuids": uuids},
    )


def _expected(domain: LibvirtDomain | None) -> str:
    if domain is None:
        return ABSENT
    return TERMINATED if domain.active else NOT_RUNNING


def end_domains(
    connection: HypervisorConnection, planned: Sequence[DomainResult], *, all_of_nova: bool
) -> list[DomainResult]:
    """Carry out the plan.

    :param all_of_nova: look at the end for domains that Nova has made meanwhile.
    :raises RecoveryError: ``hypervisor_unreachable``, ``hypervisor_not_listening``,
        ``domain_still_running``, ``domain_still_defined``; what became of each domain is in the details ``domains``.
    """
    results = {each.uuid: each for each in planned}
    todo = [each.uuid for each in planned if each.result in _ENDED]
    if not todo and not all_of_nova:
        return list(planned)
    begun, done = set(), set()
    try:
        work = functools.partial(terminate, uuids=todo, all_of_nova=all_of_nova)
        for step in connection.run(work, read_only=False):
            if step.result is None:
                begun.add(step.uuid)
            else:
                done.add(step.uuid)
                results[step.uuid] = _with_before(step.result, results.get(step.uuid))
    except RecoveryError as error:
        for uuid in todo:
            if uuid not in done:
                last = results[uuid]
                results[uuid] = replace(last, result=UNREACHABLE, now=last.before)
        error.changed = bool(begun)
        error.details["domains"] = [each.as_dict() for each in results.values()]
        raise
    _require_ended(list(results.values()))
    return list(results.values())


def _with_before(result: DomainResult, planned: DomainResult | None) -> DomainResult:
    """What was there before is what the plan saw, where it saw anything."""
    return replace(result, before=planned.before or result.before) if planned else result


def terminate(hypervisor: Hypervisor, uuids: Iterable[str], *, all_of_nova: bool) -> Iterator[Step]:
    """End these domains, one after the other; one that does not end keeps none from it."""
    left = set()
    for uuid in uuids:
        yield Step(uuid)
        result = _end(hypervisor, uuid)
        yield Step(uuid, result)
        if result.result in _LEFT:
            left.add(uuid)
    if all_of_nova:
        for domain in hypervisor.domains():
            if domain.nova is not None and domain.uuid not in left:
                yield Step(domain.uuid, _left(domain, before=domain, error=None))


def _end(hypervisor: Hypervisor, uuid: str) -> DomainResult:
    before = hypervisor.domain(uuid)
    if before is None:
        return DomainResult(uuid=uuid, result=ABSENT, before=None, now=None)
    if before.nova is None:
        # Another one than was listed: it was made anew meanwhile.
        return _left(before, before=before, error=_not_nova([uuid]))
    error = None
    if before.active:
        error = _error_of(lambda: hypervisor.destroy(uuid))
    now = hypervisor.domain(uuid)
    if now is not None and not now.active:
        error = _error_of(lambda: hypervisor.undefine(uuid, keep_tpm=before.has_tpm))
        now = hypervisor.domain(uuid)
    if now is not None:
        return _left(now, before=before, error=error)
    return DomainResult(uuid=uuid, result=_expected(before), before=before, now=None)


def _error_of(call: Callable[[], None]) -> RecoveryError | None:
    """What the call raised. Whether it worked is seen by looking."""
    try:
        call()
    except RecoveryError as error:
        if error.code == "hypervisor_unreachable":
            raise
        return error
    return None


def _left(
    now: LibvirtDomain, *, before: LibvirtDomain, error: RecoveryError | None
) -> DomainResult:
    return DomainResult(
        uuid=now.uuid,
        result=STILL_RUNNING if now.active else STILL_DEFINED,
        before=before,
        now=now,
        error={"code": error.code, "message": error.message} if error else None,
    )


def _require_ended(results: Sequence[DomainResult]) -> None:
    left = [each for each in results if each.result in _LEFT]
    if not left:
        return
    running = [each.uuid for each in left if each.result == STILL_RUNNING]
    said = "; ".join(sorted({each.error["message"] for each in left if each.error}))
    error = RecoveryError(
        "domain_still_running" if running else "domain_still_defined",
        f"{len(running)} domains still run and {len(left) - len(running)} are still defined"
        f" although they were to end{': ' + said if said else ''}. A nova-compute that works"
        " brings them back: stop it first. A process that cannot be killed waits for its storage:"
        " the host has to be powered off.",
        retriable=True,
        details={"domains": [each.as_dict() for each in results]},
    )
    error.changed = True
    raise error


def is_changed(planned: Sequence[DomainResult]) -> bool:
    """Whether the plan ends anything."""
    return any(each.result in _ENDED for each in planned)


def diff_of(results: Sequence[DomainResult]) -> dict[str, Any]:
    """States by UUID, of what was ended."""
    ended = [each for each in results if each.result in _ENDED]
    return {
        "before": {each.uuid: each.before.state for each in ended if each.before},
        "after": {each.uuid: ABSENT for each in ended},
    }
