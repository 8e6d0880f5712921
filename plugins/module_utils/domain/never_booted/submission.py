# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the conductor to build one instance, at most once for each BuildRequest.

An intent is written before the message and the fact after it. Whoever finds an intent that is not its
own waits. What is freed for the build is freed after the intent, and the message is sent under lock
with a last look at the BuildRequest, which the user may delete until then.
"""

from __future__ import annotations

from dataclasses import replace

from ..clock import Clock
from ..errors import RecoveryError
from . import journal
from .build_cloud import BuildCloud
from .build_state import Build
from .build_verification import requested_networks
from .conductor import BuildSubmission, Conductor, MessageNotSent
from .databases import Databases
from .journal import Author, JournalEntry, NewEntry
from .nova_rows import BuildRequestRow, RequestSpecRow
from .observation import Observation
from .request_spec import RequestSpec

# Between an intent and its message. Others reckon the age of a message from the intent, so that one
# who was held up for longer must not send it any more.
_SENDING_SECONDS = 60.0


class Submitter:
    """What a build does with the journal and the conductor until the message is sent."""

    def __init__(
        self,
        *,
        databases: Databases,
        conductor: Conductor,
        cloud: BuildCloud,
        author: Author,
        clock: Clock,
    ) -> None:
        self._databases = databases
        self._conductor = conductor
        self._cloud = cloud
        self._author = author
        self._clock = clock

    def adopt(self, build: Build, seen: Observation) -> bool:
        """Have an entry that is prepared, for what nobody has in hands any more.

        :returns: whether it is ours; False where somebody else was faster.
        """
        uuid = build.instance_uuid
        entries = self._databases.journal
        with self._databases.transaction(None) as transaction, transaction.step():
            # Another run may have adopted it and asked: its entry looks the same but for the time.
            if not _is_same(entries.open_entries([uuid], lock=True).get(uuid), seen.entry):
                return False
            if seen.entry is not None:
                entries.advance(
                    [uuid],
                    expected=[seen.entry.state],
                    state=journal.PREPARED,
                    author=self._author,
                    detail=f"no trace of the message after {seen.entry.age:.0f} s",
                )
            elif not seen.rows:
                project = seen.build_request.project_id if seen.build_request else None
                entry = NewEntry(
                    instance_uuid=uuid,
                    state=journal.PREPARED,
                    cell_uuid=None,
                    project_id=project,
                    request_spec=seen.spec_text,
                )
                entries.begin([entry], self._author)
        build.changed = build.changed or seen.entry is not None or not seen.rows
        return True

    def submit(self, build: Build) -> None:
        """Ask the conductor, if nobody else does; the user may delete it until the last moment."""
        uuid = build.instance_uuid
        api, entries = self._databases.api, self._databases.journal
        request = api.build_requests([uuid]).get(uuid)
        spec = api.request_specs([uuid]).get(uuid)
        if request is None or spec is None:
            return
        submission = self._cloud.compose(request, spec)
        try:
            if not self._intend(submission, spec):
                # Another run has it, or it was put back: the next look tells.
                return
            build.changed = True
            build.request_id = submission.request_id
            # Not before: until then another run may have asked, and what is freed be its build's.
            asked = self._free(submission, spec) and self._ask(build, submission, request)
        except RecoveryError as error:
            if build.since is not None and not isinstance(error, MessageNotSent):
                # Whatever this is, the message may have been sent.
                raise
            self._take_back(build, submission)
            raise
        if not asked:
            self._take_back(build, submission)
            return
        build.message, build.last_error = "", None
        with self._databases.transaction(None) as transaction, transaction.step():
            if self._is_mine(submission):
                entries.advance(
                    [uuid],
                    expected=[journal.SUBMIT_INTENDED],
                    state=journal.SUBMITTED,
                    author=self._author,
                )

    def _intend(self, submission: BuildSubmission, spec: RequestSpecRow) -> bool:
        """Say that this run is about to ask, and with which spec; False where it is not its turn.

        Nova removes the spec when its conductor finds the project over quota.
        """
        with self._databases.transaction(None) as transaction, transaction.step():
            moved = self._databases.journal.advance(
                [submission.instance_uuid],
                expected=[journal.PREPARED],
                state=journal.SUBMIT_INTENDED,
                author=self._author,
                request_id=submission.request_id,
                build_spec=spec.spec,
            )
        return moved > 0

    def _free(self, submission: BuildSubmission, spec: RequestSpecRow) -> bool:
        """Free what an earlier attempt holds of hosts and ports; False where this is ours no more.

        The entry is locked meanwhile: what is freed must not be that of another run's build.
        """
        uuid = submission.instance_uuid
        networks = requested_networks(RequestSpec.loads(spec.spec, uuid)) or ()
        ports = [str(one["port_id"]) for one in networks if one.get("port_id")]
        with self._databases.transaction(None) as transaction, transaction.step():
            if not self._is_mine(submission, within=_SENDING_SECONDS):
                return False
            if self._cloud.allocation_hosts(uuid):
                self._cloud.delete_allocations(uuid)
            if ports:
                self._cloud.free_ports(uuid, ports)
        return True

    def _ask(self, build: Build, submission: BuildSubmission, request: BuildRequestRow) -> bool:
        """Send the message, unless something has changed; whether it was sent."""
        uuid, api = build.instance_uuid, self._databases.api
        with self._databases.transaction(None) as transaction, transaction.step():
            mapping = api.instance_mappings([uuid], lock=True).get(uuid)
            there = api.build_requests([uuid], lock=True).get(uuid)
            if there != request or mapping is None or mapping.cell_id is not None:
                return False
            # A run that was held up here finds that another one has taken over.
            if not self._is_mine(submission, within=_SENDING_SECONDS):
                return False
            build.since = self._clock.monotonic()
            try:
                self._conductor.build(submission)
            except MessageNotSent:
                build.since = None
                raise
        return True

    def _is_mine(self, submission: BuildSubmission, *, within: float | None = None) -> bool:
        """Whether the entry still is at this message, under lock.

        :param within: seconds since the intent.
        """
        uuid = submission.instance_uuid
        entry = self._databases.journal.open_entries([uuid], lock=True).get(uuid)
        return (
            entry is not None
            and entry.state == journal.SUBMIT_INTENDED
            and entry.request_id == submission.request_id
            and (within is None or entry.age <= within)
        )

    def _take_back(self, build: Build, submission: BuildSubmission) -> None:
        """It is certain that this message was not sent."""
        with self._databases.transaction(None) as transaction, transaction.step():
            if self._is_mine(submission):
                self._databases.journal.advance(
                    [submission.instance_uuid],
                    expected=[journal.SUBMIT_INTENDED],
                    state=journal.PREPARED,
                    author=self._author,
                    detail="not sent",
                )
        build.request_id = None


def _is_same(one: JournalEntry | None, other: JournalEntry | None) -> bool:
    """Whether nothing has happened to an entry between two looks but that it has grown older."""
    if one is None or other is None:
        return one is other
    return replace(one, age=other.age) == other
