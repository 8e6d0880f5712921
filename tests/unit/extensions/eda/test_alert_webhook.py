# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the source alert_webhook makes of arguments and of alerts."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.alerts import TOKEN, alert, alert_webhook, payload
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:%[]-")


def settings(**args: Any) -> Any:
    return alert_webhook.Settings.of({"port": 5005, "token": TOKEN} | args)


def read(raw: Any, **args: Any) -> Any:
    return alert_webhook.read_alert(raw, settings(**args), NOW)


def test_the_documentation_has_every_argument() -> None:
    options = yaml.safe_load(alert_webhook.DOCUMENTATION)["options"]
    fields = {field.name: field for field in dataclasses.fields(alert_webhook.Settings)}
    assert set(options) == set(fields)
    for name, option in options.items():
        default = fields[name].default
        if "default" in option:
            assert option["default"] == default, name
        else:
            assert default in ("", None) or option.get("required"), name
        if name not in ("port", "host_map"):
            assert option["type"] == type(default).__name__, name


@pytest.mark.parametrize(
    "args",
    [
        {"port": "5005"},
        {"port": True},
        {"port": 0},
        {"port": 65536},
        {"strip_port": "false"},
        {"strip_port": 1},
        {"timeout": "10"},
        {"max_queue": 0},
        {"host": "localhost"},
        {"host": ""},
        {"host_label": ""},
        {"hmac_header": ""},
        {"token": 1234567890123456},
        {"certfile": "a.pem"},
        {"client_ca_file": "ca.pem"},
        {"host_map": {}},
        {"host_map": []},
        {"host_map": {"a": "b c"}},
        {"host_map": {"a": "{{ b }}"}},
        {"host_map": {"a": "b\n"}},
        {"host_map": {1: "b"}},
        {"tokn_file": "x"},
        {"eda_feedback_queue": None},
    ],
)
def test_wrong_arguments_are_refused(args: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        settings(**args)


def test_a_port_is_needed() -> None:
    with pytest.raises(ValueError, match="port is missing"):
        alert_webhook.Settings.of({"token": TOKEN})


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({}, "is needed"),
        ({"token": "", "hmac_secret": ""}, "is needed"),
        ({"token": "short"}, "at least 16"),
        ({"hmac_secret": "short"}, "at least 16"),
        ({"token": TOKEN, "token_file": "file"}, "exclude each other"),
    ],
)
def test_without_credentials_it_does_not_start(args: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        alert_webhook.Credentials(alert_webhook.Settings.of({"port": 5005} | args))


def test_a_token_file_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with pytest.raises(OSError, match="token"):
        alert_webhook.Credentials(settings(token="", token_file=str(file)))
    file.write_text("\n")
    with pytest.raises(ValueError, match="at least 16"):
        alert_webhook.Credentials(settings(token="", token_file=str(file)))


def test_secrets_are_not_shown() -> None:
    assert TOKEN not in repr(settings(hmac_secret=TOKEN))


@pytest.mark.parametrize(
    ("label", "host"),
    [
        ("a.b:9100", "a.b"),
        ("a.b", "a.b"),
        ("[::1]:9100", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[fe80::1%eth0]:9100", "fe80::1%eth0"),
        ("compute-1.example.com:9100", "compute-1.example.com"),
    ],
)
def test_ports_are_taken_off_where_it_is_stated(label: str, host: str) -> None:
    assert alert_webhook.host_of(label, settings(strip_port=True)) == host
    assert alert_webhook.host_of(label, settings()) == label


@pytest.mark.parametrize(
    "label", ["a.b:", "a.b:http", "a.b:123456", "[::1", "[::1]9100", "[::1]:", "[]:1", ":1", ""]
)
def test_what_is_no_port_is_refused(label: str) -> None:
    with pytest.raises(alert_webhook.Refused):
        alert_webhook.host_of(label, settings(strip_port=True))


@pytest.mark.parametrize(
    "label",
    [
        "{{ 7 * 7 }}",
        "{% raw %}",
        "{#",
        "a'b",
        'a"b',
        "a\nb",
        "a\n",
        "a b",
        "a\x00b",
        "a\x7f",
        "a;reboot",
        "$(reboot)",
        "`reboot`",
        "a/b",
        "-e",
        ".a",
        "%x",
        "!vault",
        "$ANSIBLE_VAULT;1.1;AES256",
        "compute-１",  # noqa: RUF001 - a digit that is none of ASCII
        "",
        "a" * 256,
        "a" * 65536,
    ],
)
def test_a_name_that_could_be_more_than_a_name_is_refused(label: str) -> None:
    with pytest.raises(alert_webhook.Refused) as refused:
        read(alert(label))
    assert label not in str(refused.value) or not label


@pytest.mark.parametrize("label", ["a" * 255, "::1", "[::1]:9100", "compute_1", "1.10", "True"])
def test_other_names_are_kept_whole(label: str) -> None:
    assert read(alert(label)).host == label


@given(st.text())
def test_nothing_but_plain_names_gets_through(label: str) -> None:
    try:
        host = read(alert(label)).host
    except alert_webhook.Refused:
        return
    assert host == label
    assert set(host) <= PLAIN


def test_the_map_knows_the_host_or_the_alert_is_refused() -> None:
    known = {"http://10.0.0.1:9100/": "compute-1.example.com"}
    assert read(alert("http://10.0.0.1:9100/"), host_map=known).host == "compute-1.example.com"
    for label in ("compute-1.example.com", "http://10.0.0.1:9100", "", "compute-1"):
        with pytest.raises(alert_webhook.Refused, match="host_map"):
            read(alert(label), host_map=known)


def test_another_label_can_name_the_host() -> None:
    labels = {"alertname": "NovaComputeDown", "instance": "exporter:9180", "hostname": "compute-1"}
    assert read(alert(labels=labels), host_label="hostname").host == "compute-1"
    with pytest.raises(alert_webhook.Refused):
        read(alert(labels=labels), host_label="host")


def test_an_event_has_what_is_plain_and_nothing_else() -> None:
    labels = {
        "alertname": "NovaComputeDown",
        "instance": "compute-1",
        "severity": "critical",
        "job": "{{ 7 * 7 }}",
        "{{ job }}": "a",
    }
    event = read(alert(labels=labels, fingerprint="0123456789abcdef", note="{{ 1 }}")).event()
    assert event == {
        "host": "compute-1",
        "alert": {
            "name": "NovaComputeDown",
            "status": "firing",
            "fingerprint": "0123456789abcdef",
            "starts_at": "2026-11-22T10:00:00.123456+00:00",
            "ends_at": None,
            "labels": {
                "alertname": "NovaComputeDown",
                "instance": "compute-1",
                "severity": "critical",
            },
        },
    }


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "alert",
        {},
        alert(1),
        alert(None),
        alert(["compute-1"]),
        alert(labels=None),
        alert(labels=[]),
        alert(labels={"instance": "compute-1"}),
        alert(labels={"alertname": "{{ 1 }}", "instance": "compute-1"}),
        alert(labels={"alertname": "", "instance": "compute-1"}),
        alert(status="pending"),
        alert(status=["firing"]),
        alert(startsAt=None),
        alert(startsAt=0),
        alert(startsAt="yesterday"),
        alert(startsAt="2026-11-22T10:00:00"),
        alert(startsAt="0001-01-01T00:00:00Z"),
        alert(status="resolved", endsAt=None),
        alert(status="resolved", endsAt="0001-01-01T00:00:00Z"),
        alert(status="resolved", endsAt="2026-11-22T09:59:59Z"),
        alert(fingerprint="{{ 1 }}"),
        alert(fingerprint=7),
        alert(fingerprint="a" * 65),
    ],
)
def test_what_is_no_alert_is_refused(raw: Any) -> None:
    with pytest.raises(alert_webhook.Refused):
        read(raw)


def test_without_fingerprint_the_labels_are_it() -> None:
    one, same = alert(fingerprint=None), alert(fingerprint=None, startsAt="2026-11-22T11:00:00Z")
    same["labels"] = dict(reversed(same["labels"].items()))
    assert read(one).fingerprint == read(same).fingerprint
    assert read(one).fingerprint != read(alert("compute-2", fingerprint=None)).fingerprint
    odd = alert(fingerprint=None)
    odd["labels"]["odd"] = "\ud800"
    assert read(odd).fingerprint


@pytest.mark.parametrize(
    ("ends_at", "status"),
    [
        (None, "firing"),
        ("0001-01-01T00:00:00Z", "firing"),
        ("2026-11-22T11:04:00Z", "firing"),
        ("2026-11-22T11:00:00Z", "resolved"),
        ("2026-11-22T11:00:00+01:00", "resolved"),
    ],
)
def test_prometheus_tells_the_status_by_the_end(ends_at: str | None, status: str) -> None:
    raw = alert(startsAt="2026-11-22T09:00:00Z", endsAt=ends_at)
    del raw["status"]
    assert read(raw).status == status
    # While it fires, its end is only when Prometheus would stop to tell of it.
    assert bool(read(raw).event()["alert"]["ends_at"]) == (status == "resolved")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"1" * 10_000,
        b"[]",
        b'{"version": "3", "alerts": []}',
        b'{"version": 4, "alerts": []}',
        b'{"version": "4"}',
        b'{"version": "4", "alerts": {}}',
        b'{"version": "4", "alerts": [], "truncatedAlerts": 2}',
    ],
)
def test_a_body_that_is_not_understood_is_refused(body: bytes) -> None:
    with pytest.raises(alert_webhook.Refused):
        alert_webhook.alerts_in(body, "/alertmanager")


def test_each_path_takes_its_own_form() -> None:
    assert alert_webhook.alerts_in(b'{"version": "4", "alerts": [1]}', "/alertmanager") == [1]
    assert alert_webhook.alerts_in(b"[1]", "/api/v2/alerts") == [1]
    with pytest.raises(alert_webhook.Refused):
        alert_webhook.alerts_in(b'{"version": "4", "alerts": []}', "/api/v2/alerts")
    assert payload()["version"] == "4"


def firing(start: int, host: str = "compute-1") -> Any:
    return read(alert(host, startsAt=_at(start)))


def resolved(start: int, end: int, host: str = "compute-1") -> Any:
    return read(alert(host, "resolved", startsAt=_at(start), endsAt=_at(end)))


def _at(seconds: int) -> str:
    return (datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("alerts", "news"),
    [
        pytest.param([firing(0), firing(0)], [1, 0], id="repeated"),
        pytest.param([firing(0), resolved(0, 9), firing(10)], [1, 1, 1], id="fires again"),
        pytest.param([resolved(0, 9), resolved(0, 9), firing(10)], [1, 0, 1], id="restarted"),
        pytest.param([firing(0), resolved(0, 9), firing(0)], [1, 1, 0], id="firing replayed"),
        pytest.param(
            [firing(0), resolved(0, 9), firing(10), resolved(0, 9)], [1, 1, 1, 0], id="end replayed"
        ),
        pytest.param([firing(0), firing(20)], [1, 1], id="the end between them was missed"),
        pytest.param([firing(5), firing(3), resolved(3, 9)], [1, 0, 1], id="start moved back"),
        pytest.param([resolved(0, 9), resolved(0, 11)], [1, 0], id="two servers, one end"),
        pytest.param([resolved(0, 9), resolved(10, 15)], [1, 1], id="the start was missed"),
        pytest.param([firing(0), firing(0, "compute-2")], [1, 1], id="two hosts"),
    ],
)
def test_what_is_news(alerts: list[Any], news: list[int]) -> None:
    memory = alert_webhook.Memory(10, 60)
    seen = []
    for one in alerts:
        seen.append(int(memory.is_news(one)))
        if seen[-1]:
            memory.remember(one, 0)
    assert seen == news


def test_the_memory_is_bounded_and_keeps_the_newest() -> None:
    memory = alert_webhook.Memory(2, 60)
    for host in ("a", "b"):
        memory.remember(firing(0, host), 0)
    memory.remember(resolved(0, 9, "a"), 0)
    memory.remember(firing(0, "c"), 0)
    assert not memory.is_news(resolved(0, 9, "a"))
    assert memory.is_news(firing(0, "b"))
    assert not memory.is_first(firing(0, "c"), 1)
    assert memory.is_first(firing(0, "b"), 1)


def test_a_second_alert_about_a_host_says_nothing_new_for_a_while() -> None:
    memory = alert_webhook.Memory(10, 60)
    memory.remember(firing(0), 100)
    assert not memory.is_first(firing(5), 159)
    assert memory.is_first(firing(5), 160)
    assert memory.is_first(firing(0, "compute-2"), 101)
    assert memory.is_first(resolved(0, 9), 101)
    another = read(alert(labels={"alertname": "Another", "instance": "compute-1"}))
    assert memory.is_first(another, 101)
    # Who goes on telling does not put off the next event.
    memory.remember(firing(5), 159)
    assert memory.is_first(firing(6), 160)


def test_a_rate_is_kept_and_what_is_not_used_is_not_saved_up() -> None:
    rate = alert_webhook.Rate(2)
    assert [rate.take(0) for _count in range(3)] == [True, True, False]
    assert rate.take(0.5)
    assert not rate.take(0.5)
    assert [rate.take(100) for _count in range(3)] == [True, True, False]
