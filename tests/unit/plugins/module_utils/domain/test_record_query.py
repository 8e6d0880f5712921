# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which records are asked for, and waiting for them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.nova import (
    MigrationRecord,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.record_query import (
    RecordQuery,
    select_records,
    show_record,
    wait_for_records,
)
from fakes import values
from fakes.world import World

NOW = values.at(100)
OLD = values.record(1, "done", created_at=values.at(10))
MIDDLE = values.record(2, "failed", created_at=values.at(50))
NEW = values.record(3, "accepted", created_at=values.at(90))
ALL = [NEW, OLD, MIDDLE]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (RecordQuery(), [OLD, MIDDLE, NEW]),
        (RecordQuery(statuses=frozenset({"done", "failed"})), [OLD, MIDDLE]),
        (RecordQuery(newer_than=50), [MIDDLE, NEW]),
        (RecordQuery(older_than=50), [OLD]),
        (RecordQuery(newer_than=60, older_than=20), [MIDDLE]),
        (RecordQuery(statuses=frozenset({"error"})), []),
    ],
)
def test_records_by_status_and_age(query: RecordQuery, found: list[MigrationRecord]) -> None:
    assert select_records(ALL, query, NOW) == found


def test_a_record_as_it_is_shown() -> None:
    assert show_record(OLD, NOW) == {
        "id": 1,
        "uuid": "record-1",
        "instance": "id-web-1",
        "status": "done",
        "source": "compute-1",
        "destination": "compute-2",
        "created_at": OLD.created_at.isoformat(),
        "updated_at": None,
        "age": 90,
    }


class Answers:
    """One answer after the other; the last one for ever."""

    def __init__(self, *answers: list[MigrationRecord] | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self) -> Iterable[MigrationRecord]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_waiting_ends_when_nothing_is_in_progress() -> None:
    world, read = World(), Answers([NEW, MIDDLE], [NEW], [OLD])
    assert wait_for_records(read, "finished", 60, 5, world) == [OLD]
    assert world.slept == [5, 5]


def test_done_is_not_completed() -> None:
    completed = values.record(1, "completed")
    read = Answers([OLD, MIDDLE], [completed, MIDDLE])
    assert wait_for_records(read, "completed", 60, 5, World()) == [completed, MIDDLE]
    assert read.asked == 2


def test_no_records_at_all_is_nothing_to_wait_for() -> None:
    assert wait_for_records(Answers([]), "completed", 60, 5, World()) == []


def test_the_time_is_over() -> None:
    world = World()
    with pytest.raises(RecoveryError) as raised:
        wait_for_records(Answers([NEW, MIDDLE]), "finished", 60, 5, world)
    assert raised.value.code == "wait_timeout"
    assert raised.value.retriable
    # The failed record holds nothing up.
    assert raised.value.details["records"] == [
        {"id": 3, "instance": "id-web-1", "status": "accepted"}
    ]
    assert 60 <= world.now <= 66


def test_a_poll_that_is_not_answered_says_nothing() -> None:
    silent = ApiUnavailable("no answer")
    assert wait_for_records(Answers([NEW], silent, silent, [OLD]), "finished", 60, 5, World()) == [
        OLD
    ]


def test_an_api_that_never_answers_is_not_taken_for_no_records() -> None:
    with pytest.raises(ApiUnavailable):
        wait_for_records(Answers(ApiUnavailable("no answer")), "finished", 60, 5, World())


def test_an_api_that_stops_answering_is_a_time_out_with_what_was_seen() -> None:
    with pytest.raises(RecoveryError) as raised:
        wait_for_records(Answers([NEW], ApiUnavailable("no answer")), "finished", 60, 5, World())
    assert raised.value.code == "wait_timeout"
    assert [entry["id"] for entry in raised.value.details["records"]] == [3]


def test_a_refusal_ends_the_wait() -> None:
    with pytest.raises(ApiRefused):
        wait_for_records(
            Answers(ApiRefused("forbidden", "no", status=403)), "finished", 60, 5, World()
        )
