# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nova's conductor and computes, as far as they touch an instance that is being built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.conductor import (
    BuildSubmission,
    ConductorQueue,
    MessageInDoubt,
    MessageNotSent,
)

from .buried_instance import tables_of
from .nova_databases import CELL0, CELL1, FakeDatabases
from .world import World

HOST = "compute-1"
# What becomes of a message.
BUILD = "build"
BURY = "bury"
DIE = "die"
DIE_ON_HOST = "die_on_host"
LOSE = "lose"
LATE = "late"
OVER_QUOTA = "over_quota"
CUT_HALF = "cut_half"
CUT_BURYING = "cut_burying"
NOT_SENT = "not_sent"
NEVER_SENT = "never_sent"
IN_DOUBT = "in_doubt"
IN_DOUBT_LOST = "in_doubt_lost"
# Of these no conductor hears.
UNHEARD = frozenset({LOSE, NOT_SENT, NEVER_SENT, IN_DOUBT_LOST})


class FakeConductor:
    """Implements Conductor, and does with Nova's databases what Nova does.

    It takes a message ``delay`` seconds after it was sent (``late`` ones after ``lateness``), and
    each of its steps takes a second. ``twice`` are instances of which a second message was sent
    while an earlier one was alive, ``vanished`` those whose mapping Nova has deleted.
    """

    def __init__(self, databases: FakeDatabases, world: World) -> None:
        self._databases, self._world = databases, world
        self.messages: list[BuildSubmission] = []
        self.fates: dict[str, list[str]] = {}
        self.alive: dict[str, int] = {}
        self.allocations: dict[str, str] = {}
        self.built: list[str] = []
        self.twice: list[str] = []
        self.vanished: list[str] = []
        self.delay = 1.0
        self.lateness = 1000.0
        self.ready = 0
        self.queue_error: RecoveryError | None = None
        # Called when the message is about to be sent, and when it was.
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.most_at_once = 0

    def queue(self) -> ConductorQueue:
        if self.queue_error is not None:
            raise self.queue_error
        return ConductorQueue(ready=self.ready, consumers=2)

    def queue_depth(self) -> int:
        return self.queue().ready

    def sent(self, uuid: str) -> int:
        """How many messages of it there were."""
        return sum(message.instance_uuid == uuid for message in self.messages)

    def build(self, submission: BuildSubmission) -> None:
        uuid = submission.instance_uuid
        self.before()
        fates = self.fates.get(uuid) or [BUILD]
        fate = fates.pop(0) if len(fates) > 1 else fates[0]
        if fate in (NOT_SENT, NEVER_SENT):
            cause = RecoveryError("message_bus_unavailable", "no", retriable=fate == NOT_SENT)
            raise MessageNotSent(submission, cause)
        if self.alive.get(uuid):
            self.twice.append(uuid)
        self.messages.append(submission)
        if fate not in UNHEARD:
            self.alive[uuid] = self.alive.get(uuid, 0) + 1
            self.most_at_once = max(self.most_at_once, sum(self.alive.values()))
            delay = self.lateness if fate == LATE else self.delay
            self._world.after(delay, lambda: self._schedule(uuid, fate))
        self.after()
        if fate in (IN_DOUBT, IN_DOUBT_LOST):
            raise MessageInDoubt(submission, "the connection was lost")

    # -- what Nova does

    @property
    def _api(self) -> dict[str, Any]:
        state: dict[str, Any] = self._databases.state["api"]
        return state

    def _rows(self, cell_id: int) -> dict[str, Any]:
        rows: dict[str, Any] = self._databases.state[f"cell{cell_id - 1}"]["rows"]
        return rows

    def _done(self, uuid: str) -> None:
        self.alive[uuid] -= 1

    def _write(self, uuid: str, cell_id: int, **columns: Any) -> None:
        now = self._databases.moment
        if uuid in self._rows(cell_id):
            # InstanceExists: the conductor gives up half way.
            raise RecoveryError("instance_exists", uuid)
        self._rows(cell_id)[uuid] = tables_of(uuid, created_at=now, updated_at=now, **columns)

    def _schedule(self, uuid: str, fate: str) -> None:
        if fate in (BURY, CUT_BURYING):
            self._bury(uuid, fate)
            return
        self.allocations[uuid] = HOST
        self._world.after(1.0, lambda: self._create(uuid, fate))

    def _bury(self, uuid: str, fate: str) -> None:
        mapping = self._api["mappings"].get(uuid)
        if mapping is None or mapping.cell_id is not None:
            # Nova refuses to bury it, and leaves it.
            self._done(uuid)
            return
        self._write(uuid, CELL0, vm_state="error", task_state=None)
        if fate == CUT_BURYING:
            self._done(uuid)
            return
        self._databases.map(uuid, cell_id=CELL0)
        self._world.after(1.0, lambda: self._finish_burial(uuid))

    def _finish_burial(self, uuid: str) -> None:
        if self._api["requests"].pop(uuid, None) is None:
            self._rows(CELL0).pop(uuid, None)
        self._done(uuid)

    def _create(self, uuid: str, fate: str) -> None:
        if uuid not in self._api["requests"]:
            # As if its user had deleted it: Nova forgets it.
            gone = self._api["mappings"].pop(uuid, None)
            if gone is not None and not gone.queued_for_delete:
                self.vanished.append(uuid)
            self.allocations.pop(uuid, None)
            self._done(uuid)
            return
        self._write(uuid, CELL1, vm_state="building", task_state="scheduling")
        if fate == OVER_QUOTA:
            self.allocations.pop(uuid)
            self._databases.stop_for_quota(uuid)
            self._done(uuid)
            return
        if fate == CUT_HALF:
            self._done(uuid)
            return
        self._world.after(1.0, lambda: self._map(uuid, fate))

    def _map(self, uuid: str, fate: str) -> None:
        self._databases.map(uuid, cell_id=CELL1)
        if self._api["requests"].pop(uuid, None) is None:
            self._rows(CELL1).pop(uuid, None)
            self.allocations.pop(uuid, None)
            self._done(uuid)
            return
        self._world.after(1.0, lambda: self._boot(uuid, fate))

    def _boot(self, uuid: str, fate: str) -> None:
        self._done(uuid)
        if uuid not in self._rows(CELL1):
            # Its user was faster.
            self.allocations.pop(uuid, None)
            return
        row = self._rows(CELL1)[uuid]["instances"][0]
        if fate in (DIE, DIE_ON_HOST):
            host = HOST if fate == DIE_ON_HOST else None
            row.update(vm_state="error", task_state=None, host=host)
            if host is None:
                self.allocations.pop(uuid, None)
            return
        moment = self._databases.moment
        row.update(vm_state="active", task_state=None, host=HOST, launched_at=moment)
        self.built.append(uuid)
