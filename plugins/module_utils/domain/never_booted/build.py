# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands prepared instances to the conductor, at most once each, and sees each to its end.

What an instance is follows from Nova's databases at each look. The journal adds the one thing that
Nova does not store: whether somebody has asked the conductor. Only the run that moves an entry from
``prepared`` to ``submit_intended`` asks; an entry that is there already is waited for. A message
counts as lost only when it is older than every time-out of Nova and no queue holds it any more: a
second message for an instance that Nova has begun to build would make it vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ..clock import Clock
from ..errors import RecoveryError
from . import build_state, journal
from .batch_run import batches
from .build_cloud import BuildCloud
from .build_state import Build, BuildSettings
from .build_verification import requested_networks, verify
from .conductor import Conductor
from .databases import Databases
from .journal import Author
from .observation import (
    BOOTED,
    BUILDING,
    BURIED,
    DELETED,
    DIED,
    DIED_ON_HOST,
    HALF_BUILT,
    HALF_BURIED,
    LEFT_BEHIND,
    UNKNOWN,
    Observation,
    home_of,
    observe,
    outcome,
    situation,
)
from .preparation import REFUSALS
from .preparer import Preparer
from .refusal import Refusal
from .request_spec import RequestSpec
from .submission import Submitter

_RETRY_SECONDS = 10.0


class Builder:
    """Builds instances and reports what became of each."""

    def __init__(
        self,
        *,
        databases: Databases,
        conductor: Conductor,
        cloud: BuildCloud,
        author: Author,
        settings: BuildSettings,
        clock: Clock,
    ) -> None:
        self._databases = databases
        self._conductor = conductor
        self._cloud = cloud
        self._author = author
        self._settings = settings
        self._clock = clock
        self._cells = databases.cells()
        self._preparer = Preparer(
            databases, author, settles=timedelta(seconds=settings.settle_time)
        )
        self._submitter = Submitter(
            databases=databases, conductor=conductor, cloud=cloud, author=author, clock=clock
        )

    def look(self, instance_uuids: Sequence[str]) -> list[Build]:
        """What would be done with each: those without a result would be handed over, or waited for.

        Changes nothing.
        """
        builds = {uuid: Build(instance_uuid=uuid) for uuid in instance_uuids}
        for uuid, seen in self._observe(list(builds)).items():
            self._judge(builds[uuid], seen, situation(seen, self._cells))
        return list(builds.values())

    def run(self, instance_uuids: Sequence[str]) -> list[Build]:
        """Build these; every one has a result in the end.

        :raises RecoveryError: when they cannot be observed, before anything was done.
        """
        builds = {uuid: Build(instance_uuid=uuid) for uuid in instance_uuids}
        started = self._clock.monotonic()
        while True:
            error = self._tick([build for build in builds.values() if build.result is None])
            if all(build.result for build in builds.values()):
                return list(builds.values())
            broken = error is not None and not error.retriable
            if broken or self._clock.monotonic() - started > self._settings.timeout:
                if (
                    error
                    and broken
                    and not any(one.result or one.since or one.changed for one in builds.values())
                ):
                    raise error
                why = "it cannot be observed any more" if broken else "the time for all is over"
                for build in builds.values():
                    if build.result is None:
                        self._end_unfinished(build, why, error)
                return list(builds.values())
            self._clock.sleep(self._settings.poll_interval)

    def _tick(self, builds: Sequence[Build]) -> RecoveryError | None:
        """One look at all, and what follows from it.

        An error of the look is given back; one that is of an instance is noted with it.
        """
        try:
            seen = self._observe([build.instance_uuid for build in builds])
        except RecoveryError as error:
            return error
        ready = [build for build in builds if self._look_at(build, seen[build.instance_uuid])]
        # Each try takes a place, also one that comes to nothing: it can take as long as a time-out.
        free = self._settings.concurrency - sum(build.in_flight for build in builds)
        # Those that were tried already come after those that were not.
        due = sorted(filter(self._is_due, ready), key=lambda build: build.not_before)
        for build in due[: max(free, 0)]:
            self._advance(build, seen[build.instance_uuid])
        return None

    def _look_at(self, build: Build, seen: Observation) -> bool:
        """Judge and act; whether it is ready to be handed over."""
        try:
            return self._judge(build, seen, situation(seen, self._cells), act=True)
        except RecoveryError as error:
            if error.retriable:
                # Also where its end was known, but could not be written down: look again.
                build.result = None
                build.last_error = error
            elif build.result is None:
                self._end_unfinished(build, "what was found cannot be used", error)
            return False

    def _observe(self, uuids: Sequence[str]) -> dict[str, Observation]:
        seen: dict[str, Observation] = {}
        for batch in batches(uuids):
            seen.update(observe(self._databases, batch, whole=False))
        return seen

    def _is_due(self, build: Build) -> bool:
        return self._clock.monotonic() >= build.not_before

    def _judge(self, build: Build, seen: Observation, now: str, *, act: bool = False) -> bool:
        """Give it its result, if it has come to its end; note whether the conductor has it.

        :param act: also write to the journal what was found, and verify.
        :returns: whether it is to be handed over.
        """
        became = outcome(seen, now)
        # Another run that waits for the same build may have closed the entry.
        awaited = seen.entry is None and build.since is not None
        if now == BOOTED:
            self._judge_booted(build, seen, act=act)
            return False
        if now in (DELETED, UNKNOWN) and (seen.entry is not None or now == DELETED):
            build.end(build_state.DELETED, "deleted", "its user has deleted it meanwhile")
        elif became == journal.BURIED_AGAIN or (awaited and now == BURIED):
            build.end(build_state.BURIED_AGAIN, "buried_again", self._fault(seen, act=act))
        elif became == journal.DIED or (awaited and now in (DIED, DIED_ON_HOST)):
            build.end(build_state.DIED, "died", self._fault(seen, act=act))
        elif now == BUILDING or self._is_submitted(build, seen):
            if build.since is None:
                build.since = self._clock.monotonic()
            if self._clock.monotonic() - build.since > self._settings.build_timeout:
                self._end_stuck(
                    build, f"Nova has not finished it in {self._settings.build_timeout:.0f} s"
                )
        elif now in (LEFT_BEHIND, HALF_BUILT, HALF_BURIED):
            # One that was waited for is not in the conductor's hands, or not any more.
            build.since = None
            self._judge_prepared(build, seen, now)
            return build.result is None
        else:
            code, message = _refusal(now)
            build.end(build_state.REFUSED, code, message)
        if act and became == journal.DELETED:
            self._clean_up(build, seen)
        elif act and became is not None and build.result is not None:
            self._close(seen, became)
        return False

    def _clean_up(self, build: Build, seen: Observation) -> None:
        """Close the entry, and remove what an earlier run has left of it."""
        for done in self._preparer.apply(home_of(seen, self._cells), [build.instance_uuid]):
            if done.refusal is not None:
                build.message = done.refusal.message
            elif done.closing is not None:
                build.message = done.closing.message
                build.changed = build.changed or done.closing.rows is not None

    def _judge_booted(self, build: Build, seen: Observation, *, act: bool) -> None:
        uuid = build.instance_uuid
        if seen.entry is None:
            newest = self._databases.journal.newest_entries([uuid]).get(uuid)
            is_ours = newest is not None and newest.state == journal.BUILT
            if not is_ours and build.since is None:
                build.end(build_state.REFUSED, *REFUSALS[BOOTED])
                return
        moment = self._clock.monotonic()
        if build.booted_since is None:
            build.booted_since = moment
        if build.since is None:
            build.since = moment
        if not act:
            build.end(build_state.ACTIVE)
            return
        spec = self._spec(seen)
        error = self._verify(build, spec)
        if build.checks and all(check.passed for check in build.checks.values()):
            build.end(build_state.ACTIVE)
        elif self._clock.monotonic() - build.booted_since > self._settings.verify_timeout:
            self._end_not_verified(build, error)
        if build.result is not None:
            self._close(seen, journal.BUILT)
        if build.result == build_state.ACTIVE:
            # Until then a later run needs them, to verify again.
            self._forget_networks(seen, spec)

    def _verify(self, build: Build, spec: RequestSpec | None) -> RecoveryError | None:
        """Make the checks; why they could not be made."""
        build.checks = {}
        try:
            self._check(build, spec)
        except RecoveryError as error:
            return error
        return None

    def _check(self, build: Build, spec: RequestSpec | None) -> None:
        uuid = build.instance_uuid
        instances = self._cloud.instances_named([uuid])
        if not instances:
            return
        instance = instances[0]
        build.host = instance.host
        build.checks = verify(
            instance,
            requested_networks(spec),
            self._cloud.ports_of([uuid]),
            self._cloud.allocation_hosts(uuid),
            self._cloud.volumes(instance.volume_ids),
        )

    def _judge_prepared(self, build: Build, seen: Observation, now: str) -> None:
        """A BuildRequest that nobody is known to have handed over."""
        if seen.entry is None:
            left = self._settings.settle_time - _age(seen, now)
            if left > 0:
                build.end(
                    build_state.REFUSED,
                    "still_building",
                    "Nova may be at work on it: it was not prepared by this collection, and is"
                    f" younger than settle_time. Try again in {left:.0f} s",
                )
                return
        spec = self._spec(seen)
        if spec is None:
            build.end(build_state.REFUSED, "request_spec_missing", "Nova has no RequestSpec of it")
        elif spec.requested_networks is None:
            build.end(
                build_state.REFUSED,
                "networks_unknown",
                "Nova has not kept which networks were requested: state them with network_request",
            )

    def _is_submitted(self, build: Build, seen: Observation) -> bool:
        """Whether a message of it may be under way. What this run asked it never asks again."""
        entry = seen.entry
        if entry is None or entry.state not in journal.SUBMITTED_STATES:
            return False
        mine = build.request_id is not None and entry.request_id == build.request_id
        return mine or not self._is_lost(seen)

    def _is_lost(self, seen: Observation) -> bool:
        entry = seen.entry
        return (
            entry is not None
            and entry.state in journal.SUBMITTED_STATES
            and seen.build_request is not None
            and entry.age > self._settings.settle_time
        )

    def _advance(self, build: Build, seen: Observation) -> None:
        """Bring it one step nearer to the conductor."""
        try:
            if seen.entry is None or self._is_lost(seen):
                if self._conductor.queue().ready:
                    self._wait(
                        build, "the conductor's queue is not drained: a message may be in it"
                    )
                    return
                if not self._submitter.adopt(build, seen):
                    return
            taken = seen.entry is not None and seen.entry.state == journal.TAKEN
            if seen.rows or taken or seen.request_spec is None:
                self._finish_preparation(build, seen)
            else:
                self._submitter.submit(build)
        except RecoveryError as error:
            self._note_failure(build, error)

    def _finish_preparation(self, build: Build, seen: Observation) -> None:
        """Also remove what an attempt that was cut off has left, and put back a RequestSpec.

        The next look finds only the BuildRequest.
        """
        for cell_id in seen.rows or [home_of(seen, self._cells)]:
            for done in self._preparer.apply(cell_id, [build.instance_uuid]):
                if isinstance(done.refusal, Refusal):
                    build.end(build_state.REFUSED, done.refusal.code, done.refusal.message)
                build.changed = build.changed or done.changed

    def _note_failure(self, build: Build, error: RecoveryError) -> None:
        build.last_error = error
        if build.since is not None:
            # It was asked, or perhaps: what becomes of it is seen in Nova's databases.
            return
        if error.retriable:
            self._wait(build, error.message)
        else:
            build.end(build_state.NOT_SENT, error.code, error.message)

    def _wait(self, build: Build, why: str) -> None:
        build.message = why
        build.not_before = self._clock.monotonic() + _RETRY_SECONDS

    def _end_unfinished(self, build: Build, why: str, error: RecoveryError | None) -> None:
        if build.booted_since is None:
            self._end_stuck(build, why, error)
        else:
            self._end_not_verified(build, error)

    def _end_not_verified(self, build: Build, error: RecoveryError | None) -> None:
        failed = [name for name, check in build.checks.items() if not check.passed]
        what = ", ".join(failed) or "everything, as it could not be verified"
        because = f". {error.message}" if error else ""
        build.end(
            build_state.NOT_VERIFIED, "not_verified", f"it runs, but look at: {what}{because}"
        )

    def _end_stuck(self, build: Build, why: str, error: RecoveryError | None = None) -> None:
        error = error or build.last_error
        what = f"{why}. {error.message}" if error else f"{why}. {build.message}".rstrip(". ")
        if build.since is None:
            build.end(build_state.NOT_SENT, error.code if error else "not_sent", what)
            return
        request = build.request_id or "its uuid"
        build.end(
            build_state.STUCK,
            error.code if error else "stuck",
            f"{what}. Look for {request} in the logs of nova-conductor, nova-scheduler and"
            " nova-compute, then run this again: it goes on waiting, and asks nobody twice",
        )

    def _close(self, seen: Observation, state: str) -> None:
        if seen.entry is None:
            return
        uuid = seen.instance_uuid
        with self._databases.transaction(None) as transaction, transaction.step():
            now = self._databases.journal.open_entries([uuid], lock=True).get(uuid)
            # Another one is of a preparation since, which this end says nothing of.
            if now is not None and now.id == seen.entry.id:
                self._databases.journal.advance(
                    [uuid],
                    expected=journal.OPEN_STATES,
                    state=state,
                    author=self._author,
                )

    def _forget_networks(self, seen: Observation, spec: RequestSpec | None) -> None:
        """They were kept for this build: Nova itself has them in no stored spec."""
        if spec is None or spec.requested_networks is None or seen.request_spec is None:
            return
        with self._databases.transaction(None) as transaction, transaction.step():
            # Where Nova has saved its own meanwhile, they are gone already.
            self._databases.api.replace_request_spec(
                seen.request_spec, spec.with_requested_networks(None).dumps()
            )

    def _fault(self, seen: Observation, *, act: bool) -> str:
        """What Nova says of the failure."""
        found = self._cloud.instances_named([seen.instance_uuid]) if act else []
        fault = next((instance.fault for instance in found if instance.fault), None)
        return f"Nova could not build it: {fault or 'see its fault'}"

    def _spec(self, seen: Observation) -> RequestSpec | None:
        text = seen.spec_text
        return None if text is None else RequestSpec.loads(text, seen.instance_uuid)


def _refusal(now: str) -> tuple[str, str]:
    if now in (BURIED, DIED):
        return "not_prepared", "it is in its cell: prepare it first with cell0_rebuild_prep"
    return REFUSALS[now]


def _age(seen: Observation, now: str) -> float:
    """Seconds since Nova wrote the newest that is there of it; 0 where that is not known."""
    times = [seen.build_request.created_at] if seen.build_request else []
    for rows in seen.rows.values():
        times += [rows.instance["created_at"], rows.instance["updated_at"]]
    known = [moment for moment in times if moment is not None]
    if not known or seen.seen_at is None or now == DIED_ON_HOST:
        return 0.0
    return (seen.seen_at - max(known)).total_seconds()
