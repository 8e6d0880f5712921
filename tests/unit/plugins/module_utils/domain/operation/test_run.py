# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run over many instances, with an operation that does what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.check import Check
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation import (
    result,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.run import (
    OperationRun,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.settings import (
    OperationSettings,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.operation.step import (
    Act,
    Arrived,
    Fail,
    Gone,
    Standing,
    Subject,
    Verdict,
    Wait,
)
from fakes.world import World
from hypothesis import given
from hypothesis import strategies as st


class Counting:
    """An operation whose instances are numbers, which a step lets grow to three."""

    def __init__(self, world: World, names: Sequence[str]) -> None:
        self.world = world
        self.numbers = dict.fromkeys(names, 0)
        self.busy: dict[str, bool] = dict.fromkeys(names, False)
        self.broken: set[str] = set()
        self.refusal: RecoveryError | None = None
        self.checks_pass = True
        self.most_at_once = 0
        self.sent: list[str] = []

    def look(self, instance_ids: Sequence[str]) -> Mapping[str, int]:
        self.most_at_once = max(self.most_at_once, len(instance_ids))
        return {one: self.numbers[one] for one in instance_ids if one in self.numbers}

    def judge(self, instance_id: str, seen: int | None) -> Verdict:
        if seen is None:
            return Gone()
        if self.busy[instance_id]:
            return Wait("counting")
        if seen < 0:
            return Fail("negative", f"{instance_id} is negative")
        return Act(f"step-{seen}") if seen < 3 else Arrived()

    def standing(self, instance_id: str, seen: int | None) -> Standing:
        return Standing(host=f"host-{instance_id}", state=str(seen))

    def remedy(self, instance_id: str, seen: int | None) -> str | None:
        return "repair" if instance_id in self.broken and seen == 0 else None

    def send(self, instance_id: str, step: str) -> str | None:
        self.sent.append(f"{instance_id} {step}")
        if self.refusal:
            raise self.refusal
        self.busy[instance_id] = True

        def end() -> None:
            self.busy[instance_id] = False
            if step == "repair" or instance_id not in self.broken:
                self.numbers[instance_id] += 1

        self.world.after(5, end)
        return None

    def why_ended(self, instance_id: str, step: str) -> str | None:
        return f"{step} of {instance_id} is broken"

    def verify(self, seen: Mapping[str, int | None]) -> Mapping[str, Mapping[str, Check]]:
        return {one: {"three": Check("three", self.checks_pass, "3", "?")} for one in seen}


def subjects(*names: str, **fields: Any) -> list[Subject]:
    given = {"project_id": "p", "source": "compute-1", "action": "count", **fields}
    return [Subject(id=name, name=name, **given) for name in names]


def run_of(
    operation: Counting, wanted: Sequence[Subject] | None = None, **settings: Any
) -> OperationRun[int]:
    run = OperationRun(
        operation,
        subjects(*operation.numbers) if wanted is None else wanted,
        OperationSettings(**settings),
        operation.world,
    )
    run.run()
    return run


def states(run: OperationRun[int]) -> list[str]:
    return [work.state for work in run.works]


def test_each_goes_through_its_steps_and_no_more_at_once_than_allowed() -> None:
    operation = Counting(World(), "abcde")
    run = run_of(operation, concurrency=2)
    assert states(run) == ["verified"] * 5
    assert operation.most_at_once == 2
    assert sorted(operation.sent) == sorted(f"{n} step-{i}" for n in "abcde" for i in range(3))
    assert run.changed
    assert run.works[0].as_dict()["to"] == "host-a"


def test_nothing_to_do_changes_nothing() -> None:
    operation = Counting(World(), "a")
    operation.numbers["a"] = 3
    run = run_of(operation)
    assert states(run) == ["verified"]
    assert not run.changed


def test_nobody_is_nobody() -> None:
    assert run_of(Counting(World(), "")).works == []


def test_those_that_must_not_be_together_are_not() -> None:
    operation = Counting(World(), "ab")
    run = run_of(operation, subjects("a", "b", not_with=frozenset({"g"})))
    assert operation.most_at_once == 1
    assert states(run) == ["verified", "verified"]


def test_a_step_that_comes_to_nothing_is_not_repeated_and_is_made_good() -> None:
    operation = Counting(World(), "a")
    operation.broken = {"a"}
    (work,) = run_of(operation).works
    assert operation.sent == ["a step-0", "a repair"]
    assert (work.state, work.code) == ("failed", "step-0_failed")
    assert work.reason == "Nova has ended 'step-0' without success: step-0 of a is broken"
    assert work.as_dict()["state"] == "1"


def test_a_failure_that_was_there_before_is_told_and_not_touched() -> None:
    operation = Counting(World(), "a")
    operation.numbers["a"] = -1
    (work,) = run_of(operation).works
    assert (work.code, work.reason) == ("negative", "a is negative")
    assert operation.sent == []


@pytest.mark.parametrize(("by_step", "code"), [(True, "step-0_failed"), (False, "taken")])
def test_a_failure_after_a_step_is_the_steps_unless_it_is_said_not_to_be(
    code: str, *, by_step: bool
) -> None:
    operation = Counting(World(), "a")
    real = operation.judge

    def judge(instance_id: str, seen: int | None) -> Verdict:
        if seen == 1:
            return Fail("taken", "somebody has taken it", not_by_step=not by_step)
        return real(instance_id, seen)

    operation.judge = judge  # type: ignore[method-assign]
    (work,) = run_of(operation).works
    assert work.code == code


def test_a_call_that_is_refused_because_somebody_else_is_at_work_is_waited_for() -> None:
    operation = Counting(World(), "a")
    operation.refusal = ApiRefused("api_refused", "it is busy", status=409)

    def other_run() -> None:
        operation.busy["a"] = False
        operation.refusal, operation.numbers["a"] = None, 3

    operation.busy["a"] = False
    real = operation.send

    def send(instance_id: str, step: str) -> str | None:
        operation.busy["a"] = True
        operation.world.after(10, other_run)
        return real(instance_id, step)

    operation.send = send  # type: ignore[method-assign]
    assert states(run_of(operation)) == ["verified"]


@pytest.mark.parametrize(("late", "sent"), [(60, 1), (100, 2)])
def test_a_call_without_an_answer_may_still_reach_nova_for_a_while(late: int, sent: int) -> None:
    operation = Counting(World(), "a")
    operation.numbers["a"] = 2

    def send(instance_id: str, step: str) -> str | None:
        operation.sent.append(step)
        operation.world.after(late, lambda: operation.numbers.update({instance_id: 3}))
        raise ApiUnavailable("no answer", request_id="req-7")

    operation.send = send  # type: ignore[method-assign]
    (work,) = run_of(operation).works
    assert work.state == "verified"
    assert len(operation.sent) == sent
    assert work.request_ids == ["req-7"] * sent


def test_a_call_that_is_refused_has_failed() -> None:
    operation = Counting(World(), "ab")
    operation.refusal = ApiRefused("forbidden", "over quota", status=403, request_id="req-9")
    run = run_of(operation, max_failures=None)
    assert [(work.state, work.code) for work in run.works] == [("failed", "nova_refused")] * 2
    assert run.works[0].request_ids == ["req-9"]
    assert run.halt is None


def test_credentials_that_are_refused_end_it_all() -> None:
    operation = Counting(World(), "ab")
    operation.refusal = ApiRefused("auth_failed", "who are you", status=401)
    run = run_of(operation, concurrency=1, max_failures=None)
    assert states(run) == ["failed", "not_started"]
    assert result.failure(run.works, run.halt, "incomplete") is run.halt


@pytest.mark.parametrize(("allowed", "begun"), [(0, 1), (2, 3), (None, 5)])
def test_the_failure_limit(allowed: int | None, begun: int) -> None:
    operation = Counting(World(), "abcde")
    operation.refusal = ApiRefused("forbidden", "no", status=400)
    run = run_of(operation, concurrency=1, max_failures=allowed)
    assert states(run) == ["failed"] * begun + ["not_started"] * (5 - begun)
    error = result.failure(run.works, run.halt, "incomplete")
    assert error is not None
    assert error.code == ("incomplete" if allowed is None else "failure_limit")
    assert error.retriable
    assert "The first to fail is a: no" in error.message


def test_what_is_verified_too_long_has_failed() -> None:
    operation = Counting(World(), "a")
    operation.checks_pass = False
    (work,) = run_of(operation, verify_timeout=30).works
    assert (work.state, work.code) == ("failed", "not_verified")
    assert work.reason == "three: expected 3, observed ?"
    assert operation.world.now < 80


def test_one_instance_and_the_whole_run_have_their_time() -> None:
    operation = Counting(World(), "ab")
    operation.busy["a"] = True
    run = run_of(operation, concurrency=1, instance_timeout=100)
    assert states(run) == ["in_progress", "not_started"]
    assert run.works[0].reason is not None
    assert "counting" in run.works[0].reason
    operation.busy["a"] = True
    run = run_of(operation, concurrency=1, timeout=50)
    assert states(run) == ["in_progress", "not_started"]
    assert run.works[1].code == "timeout"


def test_an_error_of_the_cloud_says_nothing_of_an_instance() -> None:
    operation = Counting(World(), "a")
    real, silent = operation.look, [True] * 20

    def look(instance_ids: Sequence[str]) -> Mapping[str, int]:
        if silent:
            silent.pop()
            raise ApiUnavailable("nobody is there")
        return real(instance_ids)

    operation.look = look  # type: ignore[method-assign]
    assert states(run_of(operation)) == ["verified"]


def test_a_run_that_nobody_watches_ends() -> None:
    operation = Counting(World(), "ab")
    watched = iter([True, True, False])
    lines: list[str] = []
    run = OperationRun(
        operation,
        subjects("a", "b"),
        OperationSettings(concurrency=1),
        operation.world,
        send_progress=lines.append,
        watched=lambda: next(watched),
    )
    run.run()
    assert states(run) == ["in_progress", "not_started"]
    assert run.halt is not None
    assert run.halt.code == "abandoned"
    assert operation.sent == ["a step-0"]
    assert lines[0].startswith("0 of 2 verified, 1 working, 1 waiting (")


@pytest.mark.parametrize("fields", [{}, {"not_with": frozenset({"g"})}, {"leaves": "compute-1"}])
@pytest.mark.parametrize("end", [0, 1, -1])
def test_the_place_of_one_that_is_late_is_free_when_nova_lets_go_of_it(
    fields: dict[str, Any], end: int
) -> None:
    operation = Counting(World(), "abc")
    begun_while_busy: list[str] = []

    def let_go() -> None:
        begun_while_busy.extend(operation.sent)
        operation.busy["a"], operation.numbers["a"] = False, end

    operation.world.after(500, let_go)
    operation.busy["a"] = True
    limits = {"concurrency": 1} if not fields else {"concurrency": 3, "concurrency_per_source": 1}
    run = run_of(
        operation,
        subjects("a", "b", "c", **fields),
        **limits,
        instance_timeout=100,
        max_failures=5,
    )
    assert states(run) == ["in_progress", "verified", "verified"]
    assert run.works[0].code == "timeout"
    assert begun_while_busy == []
    # Nothing is begun any more with one whose time was over.
    assert not any(call.startswith("a ") for call in operation.sent)
    assert operation.world.now < 700


def test_one_that_is_late_may_still_be_seen_to_arrive_or_to_be_gone() -> None:
    operation = Counting(World(), "abcd")

    def end() -> None:
        operation.busy["a"], operation.numbers["a"] = False, 3
        del operation.numbers["b"]

    operation.world.after(500, end)
    operation.busy |= {"a": True, "b": True}
    run = run_of(operation, subjects(*"abcd"), concurrency=2, instance_timeout=100, max_failures=5)
    assert states(run) == ["verified", "gone", "verified", "verified"]
    assert run.works[0].code is None


def test_a_call_without_an_answer_keeps_the_place_for_a_while() -> None:
    operation = Counting(World(), "ab")
    sent: dict[str, float] = {}
    real = operation.send

    def send(instance_id: str, step: str) -> str | None:
        sent.setdefault(instance_id, operation.world.now)
        if instance_id == "a":
            raise ApiUnavailable("no answer")
        return real(instance_id, step)

    operation.send = send  # type: ignore[method-assign]
    run = run_of(operation, concurrency=1, instance_timeout=20, max_failures=1)
    assert states(run) == ["in_progress", "verified"]
    assert 90 < sent["b"] - sent["a"] < 120


def test_one_that_nova_never_lets_go_of_keeps_its_place() -> None:
    operation = Counting(World(), "ab")
    operation.busy["a"] = True
    run = run_of(operation, concurrency=1, instance_timeout=100, max_failures=5)
    assert states(run) == ["in_progress", "not_started"]
    assert operation.sent == []


@given(
    hosts=st.lists(st.sampled_from(["x", "y", None]), min_size=1, max_size=8),
    stuck=st.sets(st.integers(0, 7)),
    per_source=st.integers(1, 3),
    concurrency=st.integers(1, 6),
)
def test_no_more_leave_one_host_than_allowed_and_as_many_as_allowed_do(
    hosts: list[str | None], stuck: set[int], per_source: int, concurrency: int
) -> None:
    names = [str(number) for number in range(len(hosts))]
    operation = Counting(World(), names)
    leaving = dict(zip(names, hosts, strict=True))
    for number in stuck & set(range(len(hosts))):
        operation.busy[str(number)] = True
    most: dict[str | None, int] = {}
    real = operation.look

    def look(instance_ids: Sequence[str]) -> Mapping[str, int]:
        for host in set(leaving.values()):
            here = sum(leaving[one] == host for one in instance_ids)
            most[host] = max(most.get(host, 0), here)
        return real(instance_ids)

    operation.look = look  # type: ignore[method-assign]
    run = run_of(
        operation,
        [subject for name in names for subject in subjects(name, leaves=leaving[name])],
        concurrency=concurrency,
        concurrency_per_source=per_source,
        max_failures=None,
        timeout=1000,
    )
    for host, at_once in most.items():
        if host is not None:
            assert at_once <= per_source
    # A host with fewer that are stuck than may leave it holds up nobody, as long as there is room.
    for name, state in zip(names, states(run), strict=True):
        if int(name) in stuck:
            continue
        here = [one for one in stuck if one < len(hosts) and hosts[one] == leaving[name]]
        is_free = leaving[name] is None or len(here) < per_source
        if is_free and len(stuck & set(range(len(hosts)))) < concurrency:
            assert state == "verified"
