# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session that cannot write in check mode, and the one place where errors are translated."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection as module,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.nova_api import (
    NovaApi,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    ApiRefused,
    ApiUnavailable,
    MutationRefused,
    RecoveryError,
)
from fakes import http
from keystoneauth1 import exceptions as ks
from openstack import exceptions as sdk


@pytest.fixture(name="cloud")
def _cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[http.FakeHttp]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with http.FakeHttp.patched(monkeypatch) as cloud:
        yield cloud


def connect(*, read_only: bool = False, **options: Any) -> module.CloudConnection:
    return module.connect({**http.OPTIONS, "auth": http.AUTH, **options}, read_only=read_only)


def test_the_login_goes_through_in_check_mode(cloud: http.FakeHttp) -> None:
    connect(read_only=True)
    assert ("POST", "/identity/v3/auth/tokens") in cloud.seen


@pytest.mark.parametrize(
    "write",
    [
        lambda c: c.sdk.compute.post("/servers/x/action", json={"evacuate": {}}),
        lambda c: c.sdk.compute.create_aggregate(name="x"),
        lambda c: c.sdk.compute.delete_aggregate("1"),
        lambda c: c.sdk.compute.set_aggregate_metadata("1", a="b"),
        lambda c: c.sdk.compute.evacuate_server("x"),
        lambda c: c.sdk.network.create_network(name="x"),
        lambda c: c.delete(c.sdk.compute, "/os-services/x"),
        lambda c: c.send_once(c.placement, "put", "/allocations/x", {}),
        lambda c: c.send_once(c.sdk.compute, "put", "/os-services/x", {}),
        lambda c: c.session.request(f"{http.BASE}/compute/v2.1/servers", "PATCH"),
    ],
)
def test_nothing_is_written_in_check_mode_whoever_tries(cloud: http.FakeHttp, write: Any) -> None:
    connection = connect(read_only=True)
    before = len(cloud.seen)
    with pytest.raises(MutationRefused), module.cloud_errors("write"):
        write(connection)
    assert {method for method, _path in cloud.seen[before:]} <= {"GET"}


def test_reading_works_in_check_mode(cloud: http.FakeHttp) -> None:
    connection = connect(read_only=True)
    assert list(connection.sdk.compute.services()) == []


def test_writing_works_otherwise_and_the_request_id_is_kept(cloud: http.FakeHttp) -> None:
    connection = connect()
    sent = connection.send_once(connection.sdk.compute, "put", "/os-services/x", {"a": 1})
    assert sent == "req-1"
    assert cloud.seen[-1] == ("PUT", "/compute/v2.1/os-services/x")


def test_the_password_in_the_answer_of_a_rebuild_is_not_logged(
    cloud: http.FakeHttp, caplog: pytest.LogCaptureFixture
) -> None:
    nova = NovaApi(connect())
    cloud.answers["/compute/v2.1/servers/x/action"] = (202, {"server": {"adminPass": "sesame"}})
    # As sdk_log_level=DEBUG has it.
    with caplog.at_level(logging.DEBUG, logger="keystoneauth"):
        assert nova.rebuild("x", "image") == "req-1"
        assert "sesame" not in caplog.text
        # Others are.
        nova.resize("x", "flavor")
        assert "sesame" in caplog.text


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_no_call_is_ever_sent_twice(cloud: http.FakeHttp, status: int) -> None:
    connection = connect()
    cloud.answers["/compute/v2.1/servers/x/action"] = (status, {})
    with pytest.raises(ApiUnavailable), module.cloud_errors("evacuate"):
        connection.send_once(connection.sdk.compute, "post", "/servers/x/action", {})
    assert cloud.seen.count(("POST", "/compute/v2.1/servers/x/action")) == 1


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("reset by peer"), requests.ReadTimeout("too slow")]
)
def test_no_call_is_sent_twice_when_the_connection_breaks(
    cloud: http.FakeHttp, error: Exception
) -> None:
    connection = connect()
    cloud.answers["/compute/v2.1/servers/x/action"] = error
    with pytest.raises(ApiUnavailable), module.cloud_errors("evacuate"):
        connection.send_once(connection.sdk.compute, "post", "/servers/x/action", {})
    assert cloud.seen.count(("POST", "/compute/v2.1/servers/x/action")) == 1


def test_the_microversion_is_pinned(cloud: http.FakeHttp) -> None:
    connection = connect()
    connection.send_once(connection.sdk.compute, "post", "/servers/x/action", {"evacuate": {}})
    headers = cloud.headers[-1]
    assert headers["OpenStack-API-Version"] == "compute 2.93"
    # From 2.95 on Nova leaves evacuated instances stopped; 2.67 and older can bypass the scheduler.
    assert 2.68 <= float(module.COMPUTE_MICROVERSION) < 2.95


def test_each_service_is_asked_for_its_own_version_or_that_which_is_stated(
    cloud: http.FakeHttp,
) -> None:
    connection = connect()
    connection.send_once(connection.placement, "put", "/allocations/x", {})
    assert cloud.headers[-1]["OpenStack-API-Version"] == "placement 1.28"
    connection.delete(connection.sdk.compute, "/os-services/x")
    # At 2.1 Nova knows no service by a UUID.
    assert cloud.headers[-1]["OpenStack-API-Version"] == "compute 2.93"
    cloud.answers["/compute/v2.1/os-services/x"] = (200, {})
    connection.read(connection.sdk.compute, "/os-services/x")
    assert cloud.headers[-1]["OpenStack-API-Version"] == "compute 2.93"
    connection.read(connection.sdk.compute, "/os-services/x", "2.60")
    assert cloud.headers[-1]["OpenStack-API-Version"] == "compute 2.60"


def test_what_is_gone_already_needs_not_be_deleted(cloud: http.FakeHttp) -> None:
    connection = connect()
    cloud.answers["/compute/v2.1/os-services/x"] = (404, {})
    connection.delete(connection.sdk.compute, "/os-services/x")
    cloud.answers["/compute/v2.1/os-services/x"] = (409, {})
    with pytest.raises(ApiRefused), module.cloud_errors("delete"):
        connection.delete(connection.sdk.compute, "/os-services/x")


def test_requests_are_counted_by_what_they_are_for(cloud: http.FakeHttp) -> None:
    connection = connect()
    connection.send_once(connection.sdk.compute, "post", "/servers/1-2/action", {})
    list(connection.sdk.compute.services())
    counted = connection.session.requests
    assert counted["POST servers/action"] == 1
    assert counted["GET os-services"] == 1


@pytest.mark.parametrize(("skew", "told"), [(0, 0), (1, 0), (300, 300), (-300, -300)])
def test_the_clock_of_the_api(cloud: http.FakeHttp, skew: int, told: int) -> None:
    cloud.date = lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=skew), usegmt=True)
    off = connect().session.api_time() - datetime.now(UTC)
    assert off.total_seconds() == pytest.approx(told, abs=2)


def test_an_odd_date_does_not_stop_a_recovery(cloud: http.FakeHttp) -> None:
    for odd in ("Sun, 01 Mar 2026 02:00:00 -0000", "yesterday"):
        cloud.date = lambda odd=odd: odd
        assert connect().session.api_time().tzinfo is not None


def test_the_socket_has_a_time_out(cloud: http.FakeHttp) -> None:
    connect()
    assert cloud.timeouts[-1] == 60
    connect(api_timeout=7)
    assert cloud.timeouts[-1] == 7


def test_nothing_is_read_from_a_cache(cloud: http.FakeHttp, tmp_path: Any) -> None:
    # A user may have configured openstacksdk's cache for other tools.
    clouds = {
        "cache": {
            "class": "dogpile.cache.memory",
            "expiration_time": 3600,
            "expiration": {"compute.services": 3600, "compute": 3600},
        },
        "clouds": {"mine": {"auth": http.AUTH}},
    }
    (tmp_path / "clouds.yaml").write_text(json.dumps(clouds))
    connection = connect(cloud="mine", auth=None)
    assert not connection.sdk.cache_enabled


def test_a_cloud_given_as_a_whole(cloud: http.FakeHttp) -> None:
    connect(cloud={"auth": http.AUTH}, auth=None)
    with pytest.raises(RecoveryError, match="region_name") as raised:
        connect(cloud={"auth": http.AUTH}, auth=None, region_name="x")
    assert raised.value.code == "invalid_options"


def test_credentials_that_are_refused(cloud: http.FakeHttp) -> None:
    cloud.answers["/identity/v3/auth/tokens"] = (401, {"error": {"message": "no"}})
    with pytest.raises(ApiRefused) as raised:
        connect()
    assert raised.value.code == "auth_failed"
    assert "secret" not in str(raised.value)


def test_a_cloud_that_is_not_there(cloud: http.FakeHttp) -> None:
    cloud.default = requests.ConnectionError("connection refused")
    with pytest.raises(ApiUnavailable) as raised:
        connect()
    assert raised.value.retriable


def test_a_certificate_that_nobody_knows(cloud: http.FakeHttp) -> None:
    cloud.default = requests.exceptions.SSLError("certificate verify failed")
    with pytest.raises(RecoveryError) as raised:
        connect()
    assert raised.value.code == "tls_error"
    assert "ca_cert" in raised.value.message


def test_an_unknown_cloud(cloud: http.FakeHttp) -> None:
    with pytest.raises(RecoveryError) as raised:
        connect(cloud="nowhere", auth=None)
    assert raised.value.code == "invalid_cloud_config"


def http_error(status: int) -> sdk.HttpException:
    response = requests.Response()
    response.status_code = status
    response.headers["x-openstack-request-id"] = "req-9"
    response.url, response.reason = "http://nova", "reason"
    response._content = b'{"forbidden": {"message": "Policy does not allow os-evacuate"}}'
    response.headers["Content-Type"] = "application/json"
    try:
        sdk.raise_from_response(response)
    except sdk.HttpException as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "code", "retriable"),
    [
        (ks.SSLError("bad certificate"), "tls_error", False),
        (ks.ConnectFailure("refused"), "api_unavailable", True),
        (ks.ConnectTimeout("slow"), "api_unavailable", True),
        (ks.DiscoveryFailure("nothing there"), "api_unavailable", True),
        (ks.DiscoveryFailure("SSL: CERTIFICATE_VERIFY_FAILED"), "tls_error", False),
        (ks.EndpointNotFound("no compute"), "no_endpoint", False),
        (ks.MissingRequiredOptions([]), "invalid_cloud_config", False),
        (ks.http.Unauthorized("no"), "auth_failed", False),
        (sdk.ConfigException("no such cloud"), "invalid_cloud_config", False),
        (sdk.SDKException("odd"), "api_error", False),
        (http_error(400), "api_refused", False),
        (http_error(401), "auth_failed", False),
        (http_error(403), "forbidden", False),
        (http_error(404), "api_refused", False),
        (http_error(409), "api_refused", False),
        (http_error(429), "api_unavailable", True),
        (http_error(500), "api_unavailable", True),
        (http_error(503), "api_unavailable", True),
    ],
)
def test_errors_and_their_codes(error: Exception, code: str, retriable: bool) -> None:
    with pytest.raises(RecoveryError) as raised, module.cloud_errors("evacuate instance x"):
        raise error
    assert (raised.value.code, raised.value.retriable) == (code, retriable)
    assert "evacuate instance x" in raised.value.message


def test_a_refusal_has_its_status_its_request_and_its_policy() -> None:
    with pytest.raises(ApiRefused) as raised, module.cloud_errors("evacuate"):
        raise http_error(403)
    assert raised.value.status == 403
    assert raised.value.request_id == "req-9"
    assert "os-evacuate" in raised.value.message


def test_an_error_that_was_translated_before_stays() -> None:
    mine = RecoveryError("mine", "text")
    with pytest.raises(RecoveryError) as raised, module.cloud_errors("x"):
        raise mine
    assert raised.value is mine


@pytest.mark.parametrize(
    "error", [requests.exceptions.JSONDecodeError("no json", "<html>", 0), ValueError("odd")]
)
def test_an_answer_that_makes_no_sense_does_not_cost_the_result(error: Exception) -> None:
    # A load balancer's page instead of Nova's answer.
    with pytest.raises(RecoveryError), module.cloud_errors("list migration records"):
        raise error


def test_what_is_missing_is_none() -> None:
    def missing() -> Any:
        raise http_error(404)

    assert module.none_if_missing(missing) is None
    assert module.none_if_missing(lambda: 1) == 1


def test_services_of_the_catalog(cloud: http.FakeHttp) -> None:
    connection = connect()
    assert connection.has_service("compute")
    assert not connection.has_service("block-storage")
