# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source alert_webhook on the loopback, with aiohttp's real server and client."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.alerts import SOURCE, TOKEN, Webhook, alert, alert_webhook, payload, running


def run(check: Callable[[Webhook], Awaitable[None]], **args: Any) -> None:
    """Run a test against a source with these arguments, and not for ever."""

    async def whole() -> None:
        async with asyncio.timeout(30), running(**args) as webhook:
            await check(webhook)

    asyncio.run(whole())


async def raw(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    """What comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(data)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_firing_and_resolved_are_told_apart_and_taken_once() -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post(payload(alert(), alert("compute-2", "resolved"))) == 200
        assert json.loads(webhook.answer)["message"] == "2 taken, 0 known, 0 refused"
        assert await webhook.post(payload(alert(), alert("compute-2", "resolved"))) == 200
        assert json.loads(webhook.answer)["message"] == "0 taken, 2 known, 0 refused"
        assert [(event["host"], event["alert"]["status"]) for event in await webhook.events()] == [
            ("compute-1", "firing"),
            ("compute-2", "resolved"),
        ]

    run(check)


def test_prometheus_can_send_by_itself() -> None:
    async def check(webhook: Webhook) -> None:
        sent = alert(endsAt="2999-01-01T00:00:00Z", fingerprint=None)
        del sent["status"]
        for _count in range(2):
            assert await webhook.post([sent], path="/api/v2/alerts") == 200
        assert [event["alert"]["status"] for event in await webhook.events()] == ["firing"]

    run(check)


def test_two_alerts_about_one_host_are_one_event() -> None:
    async def check(webhook: Webhook) -> None:
        second = alert(fingerprint="b")
        assert await webhook.post(payload(alert(), second, alert("compute-2"))) == 200
        assert json.loads(webhook.answer)["message"] == "2 taken, 1 known, 0 refused"
        await asyncio.sleep(1)
        # It was dropped, and is no news when it is repeated either.
        assert await webhook.post(payload(second)) == 200
        assert json.loads(webhook.answer)["message"] == "0 taken, 1 known, 0 refused"
        assert await webhook.post(payload(alert(fingerprint="c"))) == 200
        assert len(await webhook.events()) == 3

    run(check, host_interval=1)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer \udcff",
    ],
)
def test_without_the_token_nothing_happens(
    authorization: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(webhook: Webhook) -> None:
        body = json.dumps(payload(alert("secret-host"))).encode()
        lines = [b"POST /alertmanager HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(body)]
        if authorization is not None:
            value = authorization.encode("utf-8", "surrogateescape")
            lines.append(b"Authorization: " + value)
        answer = await raw(webhook.port, b"\r\n".join([*lines, b"", body]))
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert b"WWW-Authenticate: Bearer" in answer
        assert await webhook.events() == []

    run(check)
    assert "401" in caplog.text
    assert "secret-host" not in caplog.text
    assert "wrong" not in caplog.text
    assert TOKEN[:-1] not in caplog.text


def test_without_the_token_not_even_the_paths_are_told() -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post({}, path="/", token="wrong") == 401
        assert await webhook.post({}, path="/") == 404
        url = f"http://127.0.0.1:{webhook.port}/alertmanager"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with webhook.client.get(url, headers=headers) as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")

    run(check)


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")

    async def check(webhook: Webhook) -> None:
        assert await webhook.post(payload(alert())) == 200
        assert await webhook.post(payload(alert()), token=f"{TOKEN}\n".strip() + "x") == 401

    run(check, token="", token_file=str(file))


@pytest.mark.parametrize("header", ["X-Hub-Signature-256", "X-Signature"])
def test_a_signature_of_the_body_is_as_good_as_a_token(header: str) -> None:
    key = "the key of the signature"
    body = json.dumps(payload(alert())).encode()
    right = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()

    async def check(webhook: Webhook) -> None:
        wrong = ["", "sha256=", right[:-1], f"sha1={right}", "é", "0" * 64]
        for signature in wrong:
            assert await webhook.post(body, headers={header: signature}) == 401
        assert await webhook.post(body + b" ", headers={header: right}) == 401
        assert await webhook.post(body) == 401
        assert await webhook.events() == []
        assert await webhook.post(body, headers={header: f"sha256={right}"}) == 200
        assert await webhook.post(body, headers={header: right}) == 200
        assert len(await webhook.events()) == 1

    run(check, token="", hmac_secret=key, hmac_header=header)


def test_token_and_signature_are_both_needed_where_both_are_configured() -> None:
    key = "the key of the signature"
    body = json.dumps(payload(alert())).encode()
    right = {"X-Hub-Signature-256": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}

    async def check(webhook: Webhook) -> None:
        assert await webhook.post(body) == 401
        assert await webhook.post(body, headers=right, token="wrong") == 401
        assert await webhook.post(body, headers=right) == 200

    run(check, hmac_secret=key)


def test_an_alert_that_is_refused_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ["{{ lookup('pipe', 'id') }}", 'a"b', "a'b", "two\nlines", "a" * 65536, "fine"]

    async def check(webhook: Webhook) -> None:
        assert await webhook.post(payload(*[alert(name) for name in names], None)) == 422
        assert json.loads(webhook.answer)["message"].startswith("1 taken, 0 known, 6 refused: ")
        assert [event["host"] for event in await webhook.events()] == ["fine"]

    run(check)
    assert "6 refused" in caplog.text
    assert not [name for name in names if name in caplog.text]


def test_an_unknown_host_is_an_error() -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post(payload(alert("10.0.0.12:9100"))) == 422
        assert "host_map" in webhook.answer
        assert await webhook.post(payload(alert("10.0.0.11:9100"))) == 200
        assert [event["host"] for event in await webhook.events()] == ["compute-1.example.com"]

    run(check, host_map={"10.0.0.11": "compute-1.example.com"}, strip_port=True)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[" * 100_000, b'{"version": "5"}'])
def test_a_body_that_is_not_understood(body: bytes) -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post(body) == 400
        assert await webhook.post(payload(alert())) == 200

    run(check)


def test_a_body_that_is_too_long() -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post(b" " * 1001) == 413

        async def chunks() -> Any:
            for _count in range(101):
                yield b" " * 10

        async with webhook.client.post(
            f"http://127.0.0.1:{webhook.port}/alertmanager",
            data=chunks(),
            headers={"Authorization": f"Bearer {TOKEN}"},
        ) as response:
            assert response.status == 413
        assert await webhook.post(payload(alert())) == 200

    run(check, max_body=1000)


def test_a_body_that_says_that_it_is_too_long_is_not_waited_for() -> None:
    head = f"POST /alertmanager HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Length: 1001\r\n\r\n"

    async def check(webhook: Webhook) -> None:
        answer = await raw(webhook.port, head.encode())
        assert answer.startswith(b"HTTP/1.1 413 ")

    run(check, max_body=1000)


def test_a_compressed_body_is_not_unpacked() -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post(b"x", headers={"Content-Encoding": "gzip"}) == 415

    run(check)


def test_too_many_requests() -> None:
    async def check(webhook: Webhook) -> None:
        seen = [await webhook.post(payload(alert())) for _count in range(6)]
        assert seen[:3] == [200, 200, 200]
        assert 429 in seen
        assert webhook.answer_headers.get("Retry-After", "1") == "1"
        # Whoever has no token cannot use up what others need.
        for _count in range(10):
            assert await webhook.post(payload(alert()), token="wrong") == 401
        await asyncio.sleep(0.5)
        assert await webhook.post(payload(alert())) == 200

    run(check, max_requests=3)


def test_a_full_queue_asks_to_send_again_and_loses_nothing() -> None:
    hosts = [f"compute-{number}" for number in range(6)]

    async def check(webhook: Webhook) -> None:
        # Two wait in the source, one in the queue, and one that is being handed over.
        for host in hosts[:4]:
            assert await webhook.post(payload(alert(host))) == 200
            await asyncio.sleep(0.02)
        assert await webhook.post(payload(alert(hosts[4]), alert(hosts[5]))) == 503
        assert webhook.answer_headers["Retry-After"] == "1"
        seen = [await webhook.queue.get() for _count in range(4)]
        assert await webhook.post(payload(alert(hosts[4]), alert(hosts[5]))) == 200
        seen += [await webhook.queue.get() for _count in range(2)]
        assert [event["host"] for event in seen] == hosts
        assert await webhook.events() == []

    run(check, max_queue=2, room=1)


def test_more_alerts_than_the_queue_can_ever_hold() -> None:
    async def check(webhook: Webhook) -> None:
        assert await webhook.post(payload(*[alert(f"compute-{i}") for i in range(3)])) == 413
        assert await webhook.events() == []

    run(check, max_queue=2)


def test_slow_and_silent_clients_are_cut_off_and_stop_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    head = b"POST /alertmanager HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
    head %= TOKEN.encode()

    async def check(webhook: Webhook) -> None:
        began = time.monotonic()
        slow = [
            asyncio.create_task(raw(webhook.port, start))
            for start in (
                b"",
                b"POST /alert",
                head,
                head + b"Content-Length: 500000\r\n\r\n{",
                head + b"Transfer-Encoding: chunked\r\n\r\n1\r\n",
            )
        ]
        await asyncio.sleep(0.1)
        assert await webhook.post(payload(alert())) == 200
        assert time.monotonic() - began < 0.9
        assert await asyncio.gather(*slow) == [b""] * 5
        assert 0.9 < time.monotonic() - began < 5

    run(check, timeout=1)
    assert "is cut off after 1 seconds" in caplog.text


def test_connections_are_limited_and_others_wait_their_turn() -> None:
    async def check(webhook: Webhook) -> None:
        began = time.monotonic()
        held = [await asyncio.open_connection("127.0.0.1", webhook.port) for _count in range(3)]
        await asyncio.sleep(0.1)
        assert await webhook.post(payload(alert())) == 200
        assert 0.9 < time.monotonic() - began < 5
        for _reader, writer in held:
            writer.close()
        began = time.monotonic()
        assert await webhook.post(payload(alert())) == 200
        assert time.monotonic() - began < 0.9

    run(check, max_connections=3, timeout=1)


def test_a_burst_of_connections_is_served_to_the_last() -> None:
    async def check(webhook: Webhook) -> None:
        sent = [webhook.post(payload(alert(f"compute-{number}"))) for number in range(60)]
        assert await asyncio.gather(*sent) == [200] * 60
        assert len(await webhook.events()) == 60

    run(check, max_connections=5)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00secret-host\r\n\r\n",
        b"GET secret-host\r\n\r\n",
        b"secret-host / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x01secret-host / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /alertmanager HTTP/1.1\r\nsecret-host\r\n\r\n",
        b"POST /alertmanager HTTP/1.1\r\nContent-Length: secret-host\r\n\r\n",
        b"POST /alertmanager HTTP/1.1\r\nX: " + b"secret-host" * 10_000 + b"\r\n\r\n",
        b"POST http://[secret-host HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_logged_without_content(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def check(webhook: Webhook) -> None:
        answer = await raw(webhook.port, data)
        assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 401")
        assert await webhook.post(payload(alert())) == 200

    run(check)
    assert "secret-host" not in caplog.text


def test_a_client_that_breaks_off(caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /alertmanager HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
    head += b"Content-Length: 9\r\n\r\n{"

    async def check(webhook: Webhook) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
        writer.write(head % TOKEN.encode())
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        assert await webhook.post(payload(alert())) == 200

    run(check)


def test_nobody_can_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def check(webhook: Webhook) -> None:
        for _count in range(50):
            assert await webhook.post({}, token="wrong") == 401
        await asyncio.sleep(0.3)
        assert await webhook.post({}, token="wrong") == 401

    run(check)
    assert len([record for record in caplog.records if "401" in record.message]) < 20
    assert "warnings were left out" in caplog.text


def test_ipv6() -> None:
    async def check(webhook: Webhook) -> None:
        body = json.dumps(payload(alert("2001:db8::1"))).encode()
        head = f"POST /alertmanager HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        answer = await raw(webhook.port, head.encode() + body, host="::1")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert [event["host"] for event in await webhook.events()] == ["2001:db8::1"]

    run(check, host="::1")


def certificate(folder: Path, name: str, *more: str) -> tuple[str, str]:
    """:return: paths of a self-signed certificate for 127.0.0.1 and of its key."""
    files = str(folder / f"{name}.crt"), str(folder / f"{name}.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "1",
                "-subj",
                f"/CN={name}",
                "-out",
                files[0],
                "-keyout",
                files[1],
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1", *more),
        ],
        check=True,
        capture_output=True,
    )
    return files


def test_tls_and_certificates_of_clients(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "server"), certificate(tmp_path, "client")
    stranger = certificate(tmp_path, "stranger")

    def trusting(pair: tuple[str, str] | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=server[0])
        if pair:
            context.load_cert_chain(*pair)
        return context

    async def check(webhook: Webhook) -> None:
        assert await webhook.post(payload(alert()), ssl=trusting(client)) == 200
        assert await webhook.post(payload(alert()), ssl=trusting(client), token="wrong") == 401
        for pair in (None, stranger):
            with pytest.raises(aiohttp.ClientError):
                await webhook.post(payload(alert("compute-2")), ssl=trusting(pair))
        # Who begins no handshake is cut off like others.
        began = time.monotonic()
        assert await raw(webhook.port, b"") == b""
        assert time.monotonic() - began < 5
        assert len(await webhook.events()) == 1

    async def secure(webhook: Webhook) -> None:
        webhook.scheme = "https"
        await check(webhook)

    run(secure, certfile=server[0], keyfile=server[1], client_ca_file=client[0], timeout=1)


def test_it_ends_at_once_when_cancelled_and_gives_the_port_free() -> None:
    async def check() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        queue: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.create_task(alert_webhook.main(queue, {"port": port, "token": TOKEN}))
        await asyncio.sleep(0.1)
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /alertmanager HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
        writer.write(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n{{".encode())
        await asyncio.sleep(0.1)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not asyncio.all_tasks() - {asyncio.current_task()}
        assert time.monotonic() - began < 2
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(check())


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        args = {"port": taken.getsockname()[1], "token": TOKEN}
        with pytest.raises(OSError, match="in use"):
            asyncio.run(alert_webhook.main(asyncio.Queue(), args))


def test_without_tls_a_network_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        args = {"port": taken.getsockname()[1], "token": TOKEN, "host": "0.0.0.0"}  # noqa: S104
        with pytest.raises(OSError, match="in use"):
            asyncio.run(alert_webhook.main(asyncio.Queue(), args))
    assert "without TLS" in caplog.text


def test_by_hand_it_prints_events() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def check() -> None:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SOURCE), json.dumps({"port": port, "token": TOKEN})),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with aiohttp.ClientSession() as client, asyncio.timeout(20):
                webhook = Webhook(port, asyncio.Queue(), client)
                while True:
                    try:
                        assert await webhook.post(payload(alert())) == 200
                        break
                    except aiohttp.ClientConnectorError:
                        await asyncio.sleep(0.1)
                assert program.stdout
                assert json.loads(await program.stdout.readline())["host"] == "compute-1"
        finally:
            program.terminate()
            await program.wait()

    asyncio.run(check())
