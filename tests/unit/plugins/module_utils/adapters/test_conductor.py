# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conductor's queue, and a message that is sent once or known not to be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.conductor import (
    RabbitConductor,
    ReadOnlyConductor,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.message_bus import (
    MessageBus,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.conductor import (
    BuildSubmission,
    ConductorQueue,
    MessageInDoubt,
    MessageNotSent,
)
from fakes.broker import FakeBroker
from oslo_config import cfg

SUBMISSION = BuildSubmission(
    instance_uuid="an-instance",
    request_id="req-1",
    context={"auth_token": "TOKEN", "user_name": "Zoë"},
    arguments={"admin_password": "PASSWORD", "image": {"name": "名前"}},
)


@pytest.fixture(name="broker")
def _broker() -> Iterator[FakeBroker]:
    broker = FakeBroker()
    yield broker
    broker.close()


def conductor(broker: FakeBroker, kind: Any = RabbitConductor) -> Any:
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    return kind(MessageBus(conf, f"rabbit://u:p@{broker.host}/v", timeout=0.5), "nova")


def test_the_queue_is_only_looked_at(broker: FakeBroker) -> None:
    broker.ready, broker.consumers = 7, 3
    assert conductor(broker).queue() == ConductorQueue(ready=7, consumers=3)
    assert conductor(broker).queue_depth() == 7
    # The bit "passive" is the first of the last octet before the table of arguments.
    assert all(payload[-5] & 1 for payload in broker.declared)
    assert b"\x04nova" in broker.declared[0]
    assert b"\x09conductor" in broker.declared[1]


@pytest.mark.parametrize("method", [(40, 10), (50, 10)])
def test_nobody_has_ever_listened(broker: FakeBroker, method: tuple[int, int]) -> None:
    broker.refuse[method] = (404, "NOT_FOUND - there is none")
    with pytest.raises(RecoveryError) as caught:
        conductor(broker).queue()
    assert caught.value.code == "conductor_queue_missing"


def test_the_user_may_not_look(broker: FakeBroker) -> None:
    broker.refuse[50, 10] = (403, "ACCESS_REFUSED")
    with pytest.raises(RecoveryError) as caught:
        conductor(broker).queue()
    assert caught.value.code == "message_bus_auth_failed"


def test_one_message_in_oslo_messagings_form(broker: FakeBroker) -> None:
    conductor(broker).build(SUBMISSION)
    (envelope,) = broker.published
    assert broker.mandatory == [True]
    assert envelope["oslo.version"] == "2.0"
    message = json.loads(envelope["oslo.message"])
    assert len(message.pop("_unique_id")) == 32
    assert message == {
        "method": "schedule_and_build_instances",
        "namespace": "compute_task",
        "version": "1.17",
        "args": {"admin_password": "PASSWORD", "image": {"name": "名前"}},
        "_context_auth_token": "TOKEN",
        "_context_user_name": "Zoë",
    }


@pytest.mark.parametrize("method", [(10, 11), (40, 10), (50, 10), (85, 10)])
def test_before_the_message_every_failure_is_certain(
    broker: FakeBroker, method: tuple[int, int]
) -> None:
    broker.refuse[method] = (403, "ACCESS_REFUSED")
    with pytest.raises(MessageNotSent):
        conductor(broker).build(SUBMISSION)
    assert not broker.published


def test_no_message_without_a_conductor(broker: FakeBroker) -> None:
    broker.consumers = 0
    with pytest.raises(MessageNotSent) as caught:
        conductor(broker).build(SUBMISSION)
    assert (caught.value.code, caught.value.retriable) == ("conductor_not_listening", True)
    assert not broker.published


@pytest.mark.parametrize(
    ("what", "code"), [("return", "message_unroutable"), ("refuse", "message_refused")]
)
def test_a_message_that_was_not_taken_is_not_sent(broker: FakeBroker, what: str, code: str) -> None:
    broker.on_publish = what
    with pytest.raises(MessageNotSent) as caught:
        conductor(broker).build(SUBMISSION)
    assert caught.value.code == code
    assert caught.value.request_id == "req-1"
    assert len(broker.published) == 1


@pytest.mark.parametrize("what", ["cut", "silence", "nack"])
def test_what_is_not_confirmed_is_in_doubt_and_sent_once(broker: FakeBroker, what: str) -> None:
    broker.on_publish = what
    began = time.monotonic()
    with pytest.raises(MessageInDoubt) as caught:
        conductor(broker).build(SUBMISSION)
    assert time.monotonic() - began < 3
    assert (caught.value.code, caught.value.retriable) == ("message_in_doubt", False)
    shown = f"{caught.value} {caught.value.as_dict()} {SUBMISSION!r}"
    assert "TOKEN" not in shown
    assert "PASSWORD" not in shown
    # Anything that tried again would do so with a second connection, or on this one at once.
    time.sleep(0.2)
    assert broker.connections == 1
    assert len(broker.published) <= 1


def test_check_mode_never_connects_to_build(broker: FakeBroker) -> None:
    read_only = conductor(broker, ReadOnlyConductor)
    with pytest.raises(MutationRefused):
        read_only.build(SUBMISSION)
    assert broker.connections == 0
    assert read_only.queue_depth() == 0
