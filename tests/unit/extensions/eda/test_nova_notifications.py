# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import nova_messages
from fakes.broker import FakeBroker

source = nova_messages.load("event_source/nova_notifications")
CREATED = "7eef7d47-3b9e-4bf2-b0b7-1fdd262e26bc"
BUILT = "173c5d34-4d30-461a-8fd7-27ce4f69f77f"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def notifications(clock: Callable[[], float] | None = None, **arguments: Any) -> Any:
    settings = source.Settings.of({"transport_url": "rabbit://host", **arguments})
    return source.Notifications(settings, clock or Clock())


@pytest.mark.parametrize(
    ("name", "event_type", "instance"),
    [
        ("build_failed_versioned", "compute_task.build_instances.error", BUILT),
        ("build_failed_unversioned", "compute_task.build_instances.error", BUILT),
        ("create_failed_versioned", "instance.create.error", CREATED),
        ("create_failed_unversioned", "instance.create.error", CREATED),
    ],
)
def test_a_failed_build_is_told_by_its_versioned_name(
    name: str, event_type: str, instance: str
) -> None:
    event = notifications().event(nova_messages.body(name))
    assert event.pop("timestamp").startswith("2026-11-22 15:4")
    assert event == {"event_type": event_type, "instance": instance}


@pytest.mark.parametrize(
    ("name", "disabled", "forced_down"),
    [("service_disabled", True, False), ("service_forced_down", False, True)],
)
def test_a_changed_service_is_told(name: str, disabled: bool, forced_down: bool) -> None:
    event = notifications().event(nova_messages.body(name))
    assert event["event_type"] == "service.update"
    assert event["host"].startswith("compute-")
    assert event["binary"] == "nova-compute"
    assert (event["disabled"], event["forced_down"]) == (disabled, forced_down)


def test_other_notifications_are_nothing() -> None:
    assert notifications().event(nova_messages.body("another")) is None


@pytest.mark.parametrize("kind", ["build_failed", "create_failed"])
@pytest.mark.parametrize("order", [("_versioned", "_unversioned"), ("_unversioned", "_versioned")])
def test_one_failure_in_two_formats_is_one_event(kind: str, order: tuple[str, str]) -> None:
    listener = notifications()
    told = [listener.event(nova_messages.body(kind + format_)) for format_ in order]
    assert [event is None for event in told] == [False, True]


def test_a_second_failure_is_a_second_event() -> None:
    clock = Clock()
    listener = notifications(clock)
    both = ["build_failed_unversioned", "build_failed_versioned"]
    told = [listener.event(nova_messages.body(name)) for name in both]
    clock.now += 600
    told += [listener.event(nova_messages.body(name)) for name in both]
    assert [event is None for event in told] == [False, True, False, True]


def test_the_next_host_may_fail_within_moments() -> None:
    listener = notifications()
    told = [listener.event(nova_messages.body("create_failed_versioned")) for _time in range(2)]
    assert None not in told


def test_twins_are_forgotten_in_time() -> None:
    clock = Clock()
    listener = notifications(clock)
    listener.event(nova_messages.body("build_failed_unversioned"))
    clock.now += 61
    assert listener.event(nova_messages.body("build_failed_versioned")) is not None


def test_only_what_is_wanted_is_told() -> None:
    listener = notifications(event_types=["service.update"])
    assert listener.event(nova_messages.body("build_failed_versioned")) is None
    assert listener.event(nova_messages.body("service_disabled")) is not None


def test_no_secret_is_told() -> None:
    # Nova's unversioned notification of a failed build holds the user's token.
    assert "SECRET-token" in nova_messages.body("build_failed_unversioned")
    event = notifications().event(nova_messages.body("build_failed_unversioned"))
    assert set(event) == {"event_type", "instance", "timestamp"}


@pytest.mark.parametrize("name", ["{{ 1 + 1 }}", "a\nb", "x;reboot", "", None, "a" * 65536])
def test_a_host_that_is_no_plain_name_is_left_out(
    name: Any, caplog: pytest.LogCaptureFixture
) -> None:
    message = nova_messages.call("service_disabled")
    message["payload"]["nova_object.data"]["host"] = name
    assert notifications().event(nova_messages.body(message)) is None
    assert "no plain name" in caplog.text
    assert not name or name not in caplog.text


@pytest.mark.parametrize("instance", ["{{ 1 }}", None, 5, CREATED.upper(), CREATED + "\n"])
def test_an_instance_that_is_no_uuid_is_left_out(instance: Any) -> None:
    message = nova_messages.call("build_failed_versioned")
    message["payload"]["nova_object.data"]["instance_uuid"] = instance
    assert notifications().event(nova_messages.body(message)) is None


@pytest.mark.parametrize(
    "body",
    [
        "service.update",
        '["service.update"]',
        '{"oslo.message": "service.update"}',
        '{"oslo.message": "[]", "x": "service.update"}',
        '{"x": "service.update"}',
        "[" * 100_000 + "service.update",
    ],
    ids=range(6),
)
def test_what_is_no_message_is_left_out_and_not_shown(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert notifications().event(body) is None
    assert "service.update" not in caplog.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "transport_url"),
        ({"transport_url": "rabbit://h", "transport_url_file": "/f"}, "transport_url"),
        ({"transport_url": "rabbit://h", "event_types": ["servcie.update"]}, "event_types"),
        ({"transport_url": "rabbit://h", "event_types": []}, "event_types"),
        ({"transport_url": "rabbit://h", "pool": "a pool"}, "pool"),
        ({"transport_url": "rabbit://h", "topics": ["a b"]}, "topics"),
        ({"transport_url": "rabbit://h", "topics": []}, "topics"),
        ({"transport_url": "rabbit://h", "ssl": "false"}, "ssl must be of type bool"),
        ({"transport_url": "rabbit://h", "max_queue": 0}, "max_queue"),
        ({"transport_url": "rabbit://h", "max_queue": True}, "max_queue must be of type int"),
        ({"transport_url": "rabbit://h", "control_exchange": ""}, "control_exchange"),
        ({"transport_url": "rabbit://h", "poll": "x"}, "unknown arguments: poll"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        source.Settings.of(arguments)


def test_it_binds_only_what_it_wants() -> None:
    settings = source.Settings.of(
        {"transport_url": "rabbit://h", "event_types": ["service.update"]}
    )
    assert settings.queue.keys == ["notifications.info", "versioned_notifications.info"]


def test_the_defaults_are_those_of_the_documentation() -> None:
    documented = nova_messages.documented_defaults(source)
    assert documented == nova_messages.defaults(source.Settings)


def test_events_arrive_and_it_ends_when_it_is_cancelled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = FakeBroker()
    broker.deliveries = [
        (nova_messages.key(name), nova_messages.body(name))
        for name in ("another", "service_disabled", "build_failed_versioned")
    ]
    file = tmp_path / "url"
    file.write_text(f"rabbit://nova:pass-word@{broker.host}/nova\n", encoding="utf-8")

    arguments = {"transport_url_file": str(file), "heartbeat": 5}
    with caplog.at_level(logging.DEBUG):
        events = asyncio.run(nova_messages.listen(source, arguments, 2))
    broker.close()
    assert [event["event_type"] for event in events] == [
        "service.update",
        "compute_task.build_instances.error",
    ]
    assert broker.acknowledged == 3
    assert "pass-word" not in caplog.text
    assert json.dumps(events)
