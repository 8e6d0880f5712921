# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import gc
import json
import logging
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_request import (
    NetworkRequest,
    show_requests,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.network_vocabulary import (
    parse_networks,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.versioned_object import (
    object_list,
    primitive,
)
from fakes import nova_messages
from fakes.broker import FakeBroker
from hypothesis import given
from hypothesis import strategies as st

source = nova_messages.load("event_source/build_messages")
TWO = "173c5d34-4d30-461a-8fd7-27ce4f69f77f"
UUIDS = st.uuids().map(str)
TAGS = st.text("abc-_.:é {}%#", min_size=1, max_size=60)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def capture(clock: Clock | None = None, **arguments: Any) -> Any:
    settings = source.Settings.of({"transport_url": "rabbit://host", **arguments})
    return source.Capture(settings, clock or Clock())


def heard(*names: str, **arguments: Any) -> Any:
    made = capture(**arguments)
    for name in names:
        made.hear(nova_messages.body(name))
    return made


def failure(instance: str, name: str = "build_failed_versioned") -> str:
    """An announcement that this instance was not built."""
    message = nova_messages.call(name)
    payload = message["payload"]
    fields = payload.get("nova_object.data", payload)
    for field in ("instance_uuid", "instance_id", "uuid"):
        if field in fields:
            fields[field] = instance
    return nova_messages.body(message)


def test_what_was_requested_is_told_when_the_build_has_failed() -> None:
    made = heard("two_networks")
    told = made.announce(nova_messages.body("build_failed_unversioned"))
    assert told == (
        TWO,
        {
            "networks": [
                {
                    "network": "71b5da73-e55c-47b5-a9de-55656461dd6a",
                    "fixed_ip": "10.10.0.55",
                    "tag": "front",
                },
                {"port": "75b5de15-36b7-4f4c-9c95-eeaed5221fd8", "tag": "back"},
            ]
        },
    )
    parse_networks(told[1]["networks"])


def test_none_is_a_request_of_its_own() -> None:
    (instance,) = nova_messages.instances(nova_messages.call("no_networks"))
    assert heard("no_networks").announce(failure(instance))[1] == {"networks": "none"}


@pytest.mark.parametrize("requested", [None, object_list("NetworkRequestList", [], ["objects"])])
def test_nothing_requested_is_an_empty_list(requested: Any) -> None:
    assert source.networks_of(requested) == []


@given(
    st.one_of(
        st.just([NetworkRequest(network_id="auto")]),
        st.just([NetworkRequest(network_id="none")]),
        st.lists(
            st.one_of(
                st.builds(
                    NetworkRequest,
                    network_id=UUIDS,
                    address=st.none() | st.ip_addresses().map(str),
                    tag=st.none() | TAGS,
                ),
                st.builds(NetworkRequest, port_id=UUIDS, pci_request_id=st.none() | UUIDS),
            ),
            max_size=4,
        ),
    )
)
def test_the_words_are_those_of_the_collection(requests: list[NetworkRequest]) -> None:
    objects = [primitive("NetworkRequest", request.fields()) for request in requests]
    requested = object_list("NetworkRequestList", objects, ["objects"])
    if any("{{" in tag or "{%" in tag or "{#" in tag for tag in (r.tag or "" for r in requests)):
        with pytest.raises(source.NotKept):
            source.networks_of(requested)
    else:
        assert source.networks_of(requested) == show_requests(tuple(requests))


def test_a_port_goes_without_what_it_brings_itself() -> None:
    request = NetworkRequest(port_id=TWO, network_id=TWO, address="10.0.0.1")
    objects = [primitive("NetworkRequest", request.fields())]
    requested = object_list("NetworkRequestList", objects, ["objects"])
    assert source.networks_of(requested) == [{"port": TWO}]


def test_every_instance_of_a_batch_is_known() -> None:
    made = heard("batch")
    instances = nova_messages.instances(nova_messages.call("batch"))
    assert len(instances) == 3
    told = [made.announce(failure(instance)) for instance in instances]
    assert [uuid for uuid, _kept in told] == instances
    assert len({json.dumps(kept) for _uuid, kept in told}) == 1


def test_a_failure_in_both_formats_is_told_once() -> None:
    made = heard("two_networks")
    both = ["build_failed_unversioned", "build_failed_versioned"]
    assert [made.announce(failure(TWO, name)) is None for name in both] == [False, True]


def test_the_host_and_then_the_conductor_give_up() -> None:
    # What was stored after the first one may be lost when Nova tries the next host.
    made = heard("two_networks")
    every = ["create_failed_versioned"] * 3 + ["build_failed_versioned"]
    told = [made.announce(failure(TWO, name)) is not None for name in every]
    assert told == [True, False, False, True]


def test_a_rebuild_that_fails_again_is_told_again() -> None:
    made = heard("two_networks")
    assert made.announce(failure(TWO)) is not None
    made.hear(nova_messages.body("two_networks"))
    assert made.announce(failure(TWO)) is not None


def test_the_newest_request_counts() -> None:
    made = heard("two_networks")
    message = nova_messages.call("no_networks")
    message["args"]["build_requests"][0]["nova_object.data"]["instance_uuid"] = TWO
    made.hear(nova_messages.body(message))
    assert made.announce(failure(TWO))[1] == {"networks": "none"}
    assert len(made) == 1


def test_of_an_instance_that_was_not_heard_of_nothing_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert capture().announce(failure(TWO)) is None
    assert f"{TWO} has failed, and its networks are not known" in caplog.text


def test_no_secret_stays(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = heard("two_networks", "batch", "personality", "no_networks")
        made.announce(nova_messages.body("build_failed_unversioned"))
    gc.collect()
    reached: list[Any] = [made]
    for each in reached:
        # Its own values only: code is reached from everywhere.
        reached += [value for value in gc.get_referents(each) if isinstance(value, _VALUES)]
        assert len(reached) < 10_000
    text = " ".join(str(each) for each in reached)
    assert TWO in text
    for secret in ("SECRET", "password", "token", "aGVsbG8=", "lab-image", "_context"):
        assert secret not in text
        assert secret not in caplog.text


_VALUES = (dict, list, set, str, bytes, source._Request)


def test_personality_is_kept_only_where_it_is_allowed() -> None:
    (instance,) = nova_messages.instances(nova_messages.call("personality"))
    refused = heard("personality").announce(failure(instance))
    allowed = heard("personality", personality=True).announce(failure(instance))
    assert "personality" not in refused[1]
    assert allowed[1]["personality"] == [{"path": "/etc/x", "content": "aGVsbG8="}]
    assert source._event([allowed])["personality"] == {instance: allowed[1]["personality"]}
    assert "personality" not in source._event([refused])


def _with_request(**fields: Any) -> dict[str, Any]:
    message = nova_messages.call("two_networks")
    requested = message["args"]["requested_networks"]["nova_object.data"]["objects"]
    requested[0]["nova_object.data"].update(fields)
    return message


@pytest.mark.parametrize(
    "fields",
    [
        {"tag": "{{ lookup('pipe') }}"},
        {"tag": "{% if x %}"},
        {"tag": "{# x #}"},
        {"tag": "a\nb"},
        {"tag": "a" * 61},
        {"tag": ["front"]},
        {"network_id": "{{ x }}"},
        {"network_id": "lab-net"},
        {"address": "{{ x }}"},
        {"address": "fe80::1%{{ x }}"},
        {"port_id": "x; reboot"},
    ],
)
def test_what_could_be_read_as_a_template_is_left_out(
    fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    made = heard("two_networks")
    made.hear(nova_messages.body(_with_request(**fields)))
    # What was requested before is not what is requested now.
    assert made.announce(failure(TWO)) is None
    assert f"nothing is kept for instances {TWO}" in caplog.text
    assert "lookup" not in caplog.text
    assert "reboot" not in caplog.text


@pytest.mark.parametrize(
    "file",
    [["/etc/{{ x }}", "aGVsbG8="], ["/etc/x", "{{ x }}"], ["", ""], [None, ""], ["/etc/x", None]],
)
def test_so_are_personality_files(file: list[Any]) -> None:
    message = nova_messages.call("two_networks")
    message["args"]["injected_files"] = [file]
    made = capture(personality=True)
    made.hear(nova_messages.body(message))
    assert made.announce(failure(TWO)) is None


@pytest.mark.parametrize("uuid", ["{{ 1 }}", TWO.upper(), f"{TWO}\n", None, 7])
def test_an_instance_is_a_uuid(uuid: Any, caplog: pytest.LogCaptureFixture) -> None:
    message = nova_messages.call("two_networks")
    message["args"]["build_requests"][0]["nova_object.data"]["instance_uuid"] = uuid
    made = capture()
    made.hear(nova_messages.body(message))
    assert len(made) == 0
    assert "{{" not in caplog.text


@pytest.mark.parametrize("missing", ["build_requests", "requested_networks"])
def test_what_is_not_understood_is_left_out_and_not_shown(
    missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = nova_messages.call("two_networks")
    del message["args"][missing]
    made = capture()
    made.hear(nova_messages.body(message))
    made.hear("schedule_and_build_instances SECRET")
    assert len(made) == 0
    assert caplog.text.count("not understood") == 2
    assert "SECRET" not in caplog.text


def test_other_messages_to_the_conductor_are_nothing(caplog: pytest.LogCaptureFixture) -> None:
    message = nova_messages.call("two_networks")
    message["method"] = "rebuild_instance"
    message["args"]["x"] = "schedule_and_build_instances"
    made = capture()
    made.hear(nova_messages.body(message))
    assert len(made) == 0
    assert not caplog.text


def _hear_many(made: Any, count: int) -> list[str]:
    instances = [f"00000000-0000-4000-8000-{number:012d}" for number in range(count)]
    message = nova_messages.call("no_networks")
    for instance in instances:
        message["args"]["build_requests"][0]["nova_object.data"]["instance_uuid"] = instance
        made.hear(nova_messages.body(message))
    return instances


def test_the_oldest_are_forgotten_beyond_the_number() -> None:
    made = capture(max_instances=3)
    instances = _hear_many(made, 5)
    assert [made.announce(failure(each)) is not None for each in instances] == [False] * 2 + [
        True
    ] * 3


def test_and_beyond_the_bytes() -> None:
    one = len(json.dumps({"networks": "none"}))
    made = capture(max_bytes=2 * one + 1)
    instances = _hear_many(made, 5)
    assert len(made) == 2
    assert made.announce(failure(instances[-1])) is not None


def test_bytes_of_what_is_replaced_do_not_count() -> None:
    one = len(json.dumps({"networks": "none"}))
    made = capture(max_bytes=5 * one)
    for _time in range(4):
        _hear_many(made, 5)
    assert len(made) == 5


def test_and_beyond_their_age() -> None:
    clock = Clock()
    made = capture(clock, max_age=60)
    instances = _hear_many(made, 2)
    clock.now += 60
    assert made.announce(failure(instances[0])) is not None
    clock.now += 1
    assert made.announce(failure(instances[1])) is None
    assert len(made) == 0


def test_notifications_may_come_on_another_bus() -> None:
    settings = source.Settings.of(
        {"transport_url": "rabbit://a", "notification_transport_url_file": "/f"}
    )
    assert settings.has_two_buses
    with pytest.raises(ValueError, match="exclude each other"):
        source.Settings.of(
            {
                "transport_url": "rabbit://a",
                "notification_transport_url": "rabbit://b",
                "notification_transport_url_file": "/f",
            }
        )


def test_the_defaults_are_those_of_the_documentation() -> None:
    documented = nova_messages.documented_defaults(source)
    assert documented == nova_messages.defaults(source.Settings)


def test_those_who_fail_together_come_in_one_event() -> None:
    broker = FakeBroker()
    batch = nova_messages.call("batch")
    instances = nova_messages.instances(batch)
    broker.deliveries = [
        ("conductor", nova_messages.body(batch)),
        ("conductor", nova_messages.body("two_networks")),
        *(("versioned_notifications.error", failure(each)) for each in [*instances, TWO]),
        *(("notifications.error", failure(each, "build_failed_unversioned")) for each in instances),
    ]

    arguments = {"transport_url": f"rabbit://u:p@{broker.host}/nova", "max_requests": 3}
    first, second = asyncio.run(nova_messages.listen(source, arguments, 2))
    broker.close()
    assert [each["instance"] for each in first["requests"]] == instances
    assert [each["instance"] for each in second["requests"]] == [TWO]
    assert broker.acknowledged == 0


def test_a_slow_rulebook_loses_the_oldest_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def fill() -> list[Any]:
        settings = source.Settings.of({"transport_url": "rabbit://h", "max_instances": 2})
        outbox = source.Outbox(settings, asyncio.get_running_loop())
        for number in range(3):
            outbox.add(str(number), {"networks": "none"})
        await asyncio.sleep(0)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        emptying = asyncio.create_task(outbox.empty_into(queue, capture()))
        event = await asyncio.wait_for(queue.get(), 10)
        emptying.cancel()
        return [each["instance"] for each in event["requests"]]

    assert asyncio.run(fill()) == ["1", "2"]
    assert "the networks of 0 are not told" in caplog.text
