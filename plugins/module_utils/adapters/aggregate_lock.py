# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run locks as host aggregates without hosts.

The name of an aggregate is unique in Nova's API database, so that of two runs that create it one
gets 409: a lock that every controller sees, without another service. An aggregate without hosts
has no effect on scheduling.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..domain.errors import ApiRefused
from ..domain.run_lock import LockRecord
from .openstack_connection import CloudConnection, cloud_errors

NAME_PREFIX = "openstack_recovery lock "


class AggregateLockStore:
    """Implements LockStore."""

    def __init__(self, connection: CloudConnection) -> None:
        self._session = connection.session
        self._compute = connection.sdk.compute
        self._send = functools.partial(connection.send_once, connection.sdk.compute)

    def api_time(self) -> datetime:
        return self._session.api_time()

    def create(self, host: str, run_id: str, holder: str) -> LockRecord | None:
        try:
            with cloud_errors(f"create the run lock of {host}"):
                aggregate = self._compute.create_aggregate(name=NAME_PREFIX + host)
        except ApiRefused as error:
            if error.status == 409:
                return None
            raise
        record = LockRecord(
            id=str(aggregate.id),
            host=host,
            run_id=run_id,
            holder=holder,
            renewed_at=self.api_time(),
        )
        return self.renew(record)

    def read(self, host: str) -> LockRecord | None:
        with cloud_errors(f"read the run lock of {host}"):
            for aggregate in self._compute.aggregates():
                # MySQL's unique key makes no difference between upper and lower case.
                if aggregate.name.lower() == (NAME_PREFIX + host).lower():
                    return _lock(host, aggregate)
        return None

    def renew(self, record: LockRecord) -> LockRecord | None:
        now = self.api_time()
        metadata = {
            "run_id": record.run_id,
            "holder": record.holder,
            "renewed_at": now.isoformat(timespec="seconds"),
        }
        try:
            with cloud_errors(f"renew the run lock of {record.host}"):
                body = {"set_metadata": {"metadata": metadata}}
                self._send("post", f"/os-aggregates/{record.id}/action", body)
        except ApiRefused as error:
            if error.status == 404:
                return None
            raise
        return replace(record, renewed_at=now)

    def delete(self, record: LockRecord) -> bool:
        try:
            with cloud_errors(f"delete the run lock of {record.host}"):
                self._compute.delete_aggregate(record.id, ignore_missing=False)
        except ApiRefused as error:
            if error.status == 404:
                return False
            raise
        return True


def _lock(host: str, aggregate: Any) -> LockRecord:
    metadata = aggregate.metadata or {}
    # A run that died between creating and writing has left only the creation time.
    stamp = metadata.get("renewed_at") or aggregate.created_at
    renewed_at = datetime.fromisoformat(stamp)
    return LockRecord(
        id=str(aggregate.id),
        host=host,
        run_id=metadata.get("run_id", "unknown"),
        holder=metadata.get("holder", "unknown"),
        renewed_at=renewed_at if renewed_at.tzinfo else renewed_at.replace(tzinfo=UTC),
    )
