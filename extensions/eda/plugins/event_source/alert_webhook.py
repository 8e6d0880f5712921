# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source for ansible-rulebook: alerts of Alertmanager or Prometheus, sent by HTTP.

ansible-rulebook runs this file by its path, so it can import nothing of the collection by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import hmac
import ipaddress
import json
import logging
import re
import runpy
import socket
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from aiohttp import web

if TYPE_CHECKING:
    from ansible_collections.openstack_recovery.nova.extensions.eda.plugins.module_utils import (
        event_source,
    )
else:
    _SHARED = Path(__file__).parents[1] / "module_utils"
    event_source = SimpleNamespace(**runpy.run_path(str(_SHARED / "event_source.py")))

DOCUMENTATION = r"""
name: alert_webhook
short_description: Receive alerts of Alertmanager or Prometheus about hosts
version_added: 0.4.0
description:
  - Listens for HTTP POST. C(/alertmanager) takes what a webhook receiver of Alertmanager sends
    (version 4), C(/api/v2/alerts) what Prometheus sends to an Alertmanager.
  - Each alert becomes one event, once. A repetition is dropped, also one that comes late. A new
    C(startsAt) makes a new firing; a resolved alert is news until it fires again.
  - Every request needs the token, or a signature of its body. Without one of them configured the
    source does not start.
  - An event is C({host, alert={name, status, fingerprint, starts_at, ends_at, labels}}). C(host) is
    Nova's name of the host, C(status) is V(firing) or V(resolved), C(ends_at) is null while it fires.
  - Names are data. A host name has at most 255 letters, digits and C(._:%[]-), and begins with none
    of C(.%]-). An alert with another one is refused. A label with another value is left out of
    C(labels), and annotations always are, as Ansible would read C({{ }}) in them as a template.
  - It answers 200 when all alerts were taken or known, 422 when one was refused (the others are
    taken), 400 when the body is not understood, 401, 404, 405, 413 and 415 as usual, 429 above
    C(max_requests), and 503 when the queue is full. Alertmanager sends again after 503.
options:
  port: {type: int, required: true, description: Port to listen on.}
  host: {type: str, default: 127.0.0.1, description: "IP address to listen on; no name."}
  token: {type: str, description: "Bearer token that clients send, at least 16 characters."}
  token_file: {type: str, description: A file that holds it. Better than C(token).}
  hmac_secret:
    type: str
    description: Secret of which clients make the HMAC-SHA256 of the body. At least 16 characters.
  hmac_secret_file: {type: str, description: A file that holds it.}
  hmac_header:
    type: str
    default: X-Hub-Signature-256
    description: Header with the HMAC as hexadecimal digits, with or without C(sha256=) before them.
  certfile: {type: str, description: Certificate chain for TLS.}
  keyfile: {type: str, description: Its key.}
  client_ca_file: {type: str, description: Only clients with a certificate of this CA are served.}
  host_label: {type: str, default: instance, description: The label that names the host.}
  strip_port:
    type: bool
    default: false
    description: Take C(:9100) off the label, and the brackets of an IPv6 address.
  host_map:
    type: dict
    description:
      - Nova's name of the host by the label, after C(strip_port). With it, a label that it does not
        have is refused. Without it the label is Nova's name.
  host_interval:
    type: int
    default: 60
    description:
      - Seconds in which one alert of a name and status is enough for a host. Others are remembered
        like it, and dropped. The throttle of a rule alone does not do it, as events wait here while
        ansible-rulebook is busy, and its time begins when it sees them.
  max_body: {type: int, default: 1048576, description: Bytes that a body may have.}
  max_requests: {type: int, default: 200, description: Authenticated requests in a second.}
  max_connections: {type: int, default: 100, description: Connections at a time; others wait.}
  timeout: {type: int, default: 10, description: Seconds that a connection lives at most.}
  max_queue: {type: int, default: 1000, description: Events that may wait for the rules.}
  max_remembered: {type: int, default: 10000, description: Alerts that are remembered.}
"""

EXAMPLES = r"""
- openstack_recovery.nova.alert_webhook:
    port: 5005
    token_file: /etc/ansible-rulebook/alert_token
    host_map: {'10.0.0.11:9100': compute-1.example.com}
"""

LOG = logging.getLogger("openstack_recovery.nova.alert_webhook")
# aiohttp's own words show what it could not read.
_SILENT = logging.getLogger(f"{LOG.name}.aiohttp")
_SILENT.disabled = True

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

FIRING, RESOLVED = "firing", "resolved"
ALERTMANAGER, PROMETHEUS = "/alertmanager", "/api/v2/alerts"
# What host names are made of, IPv6 addresses included; nothing that Jinja, YAML or a shell reads.
_NAME = re.compile(r"[A-Za-z0-9_:\[][A-Za-z0-9._:%\[\]-]{0,254}")
_PLAIN = re.compile(r"[A-Za-z0-9._:%\[\]-]{0,255}")
_FINGERPRINT = re.compile(r"[0-9a-f]{1,64}")
_SECRET_LENGTH = 16
_COMPLAINTS_PER_SECOND = 5


class Refused(Exception):
    """An alert, or a body, that cannot be taken. The message holds nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Settings(event_source.Arguments):
    """The arguments, as DOCUMENTATION describes them."""

    KINDS: ClassVar[Mapping[str, type]] = {"port": int, "host_map": dict}

    port: int
    host: str = "127.0.0.1"
    token: str = dataclasses.field(default="", repr=False)
    token_file: str = ""
    hmac_secret: str = dataclasses.field(default="", repr=False)
    hmac_secret_file: str = ""
    hmac_header: str = "X-Hub-Signature-256"
    certfile: str = ""
    keyfile: str = ""
    client_ca_file: str = ""
    host_label: str = "instance"
    strip_port: bool = False
    host_map: dict[str, str] | None = None
    host_interval: int = 60
    max_body: int = 1 << 20
    max_requests: int = 200
    max_connections: int = 100
    timeout: int = 10
    max_queue: int = 1000
    max_remembered: int = 10_000

    def check(self) -> None:
        """:raises ValueError: for what does not go together."""
        if self.port > 65535:
            raise ValueError("port must be at most 65535")
        ipaddress.ip_address(self.host)
        if not self.host_label or not self.hmac_header:
            raise ValueError("host_label and hmac_header must not be empty")
        if bool(self.certfile) != bool(self.keyfile):
            raise ValueError("certfile and keyfile go together")
        if self.client_ca_file and not self.certfile:
            raise ValueError("client_ca_file needs certfile and keyfile")
        if self.host_map is None:
            return
        if not self.host_map:
            raise ValueError("host_map is empty: every alert would be refused")
        for label, host in self.host_map.items():
            if not (isinstance(label, str) and isinstance(host, str) and _NAME.fullmatch(host)):
                raise ValueError("host_map must map text to host names")


def _secret(name: str, value: str, file: str) -> bytes:
    """The secret from where it was given, or none.

    :raises ValueError: if it is given twice or too short; OSError: of the file.
    """
    if value and file:
        raise ValueError(f"{name} and {name}_file exclude each other")
    if not value and not file:
        return b""
    secret = (value or Path(file).read_text(encoding="utf-8").strip()).encode()
    if len(secret) < _SECRET_LENGTH:
        raise ValueError(f"{name} must have at least {_SECRET_LENGTH} characters")
    return secret


class Credentials:
    """What a request must prove."""

    def __init__(self, settings: Settings) -> None:
        """:raises ValueError: if there is neither token nor HMAC secret; OSError: of their files."""
        self._token = _secret("token", settings.token, settings.token_file)
        self._key = _secret("hmac_secret", settings.hmac_secret, settings.hmac_secret_file)
        self._header = settings.hmac_header
        if not self._token and not self._key:
            raise ValueError("token_file, token, hmac_secret_file or hmac_secret is needed")

    def token_is_right(self, request: web.BaseRequest) -> bool:
        """Also where no token is asked for."""
        scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(_bytes(token.strip()), self._token)
        return not self._token or (right and scheme.lower() == "bearer")

    def signature_is_right(self, request: web.BaseRequest, body: bytes) -> bool:
        """Also where no signature is asked for."""
        if not self._key:
            return True
        given = request.headers.get(self._header, "").strip().removeprefix("sha256=")
        return hmac.compare_digest(
            _bytes(given), hmac.digest(self._key, body, "sha256").hex().encode()
        )


def _bytes(text: str) -> bytes:
    """As it came: headers are decoded with surrogates, which compare_digest does not take."""
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Alert:
    """One alert that can be taken, without what is not plain in it."""

    name: str
    status: str
    fingerprint: str
    starts_at: datetime
    ends_at: datetime | None
    labels: dict[str, str]
    host: str

    @property
    def moment(self) -> datetime:
        """When it began to fire, or was resolved."""
        return self.ends_at or self.starts_at

    def event(self) -> dict[str, Any]:
        """What the rules see."""
        alert = {
            "name": self.name,
            "status": self.status,
            "fingerprint": self.fingerprint,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
            "labels": self.labels,
        }
        return {"host": self.host, "alert": alert}


def alerts_in(body: bytes, form: str) -> list[Any]:
    """The alerts of a body, not looked into yet.

    :raises Refused: if it is not what that path takes.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("the body is not JSON") from None
    if form == PROMETHEUS:
        alerts = payload
    elif isinstance(payload, dict) and payload.get("version") == "4":
        if payload.get("truncatedAlerts"):
            raise Refused("alerts were cut off: set max_alerts of the webhook receiver to 0")
        alerts = payload.get("alerts")
    else:
        raise Refused("the body is not version 4 of Alertmanager's webhook")
    if not isinstance(alerts, list):
        raise Refused("the body has no list of alerts")
    return alerts


def read_alert(raw: Any, settings: Settings, now: datetime) -> Alert:
    """One alert of either form. Prometheus tells no status: its endsAt does.

    :raises Refused: if something is missing or not plain, or the host is not known.
    """
    labels = raw.get("labels") if isinstance(raw, dict) else None
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise Refused("no labels")
    plain = {
        label: value
        for label, value in labels.items()
        if _PLAIN.fullmatch(label) and _PLAIN.fullmatch(value)
    }
    if not plain.get("alertname"):
        raise Refused("no plain alertname")
    ends_at = _time(raw.get("endsAt"))
    if "status" not in raw:
        status = RESOLVED if ends_at and ends_at <= now else FIRING
    elif (status := raw["status"]) not in (FIRING, RESOLVED):
        raise Refused("neither firing nor resolved")
    starts_at = _time(raw.get("startsAt"))
    if starts_at is None or (status == RESOLVED and (ends_at is None or ends_at < starts_at)):
        raise Refused("startsAt or endsAt is missing")
    fingerprint = raw.get("fingerprint") or _fingerprint(labels)
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        raise Refused("a strange fingerprint")
    return Alert(
        name=plain["alertname"],
        status=status,
        fingerprint=fingerprint,
        starts_at=starts_at,
        ends_at=ends_at if status == RESOLVED else None,
        labels=plain,
        host=host_of(labels.get(settings.host_label, ""), settings),
    )


def _time(text: Any) -> datetime | None:
    """A moment, or None for Go's zero time, which stands for no time."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refused("a strange time") from None
    if moment.tzinfo is None:
        raise Refused("a time without zone")
    return moment if moment.year > 1 else None


def _fingerprint(labels: dict[str, str]) -> str:
    text = json.dumps(labels, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def host_of(label: str, settings: Settings) -> str:
    """Nova's name of the host that the label names.

    :raises Refused: if it is not in the map, or not a host name.
    """
    name = without_port(label) if settings.strip_port else label
    if settings.host_map is not None:
        if name not in settings.host_map:
            raise Refused("its host is not in host_map")
        return settings.host_map[name]
    if not _NAME.fullmatch(name):
        raise Refused("its host label is missing or no host name")
    return name


def without_port(label: str) -> str:
    """``[::1]:9100`` is ``::1``, ``::1`` is whole already, ``a.b:9100`` is ``a.b``.

    :raises Refused: if what follows the colon is no port.
    """
    if label.startswith("["):
        name, closed, rest = label[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise Refused("its host label has unmatched brackets")
        port = rest[1:] if rest else None
    elif label.count(":") == 1:
        name, _colon, port = label.partition(":")
    else:
        name, port = label, None
    if port is not None and not re.fullmatch(r"[0-9]{1,5}", port):
        raise Refused("its host label has a strange port")
    return name


class Memory:
    """Which alerts were taken: of each the last status and its moment, the newest ``limit``."""

    def __init__(self, limit: int, host_interval: int) -> None:
        """:param host_interval: seconds in which one alert about a host is enough."""
        self._limit = limit
        self._host_interval = host_interval
        self._last: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        self._hosts: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def is_news(self, alert: Alert) -> bool:
        """False for what was taken, and for what is older than it."""
        if alert.fingerprint not in self._last:
            return True
        status, moment = self._last[alert.fingerprint]
        # The same status again is news only if the other one between them was missed.
        return (alert.starts_at if alert.status == status else alert.moment) > moment

    def is_first(self, alert: Alert, now: float) -> bool:
        """False if another alert has just told the same of its host.

        :param now: seconds of a clock that never goes back.
        """
        told = self._hosts.get((alert.host, alert.name, alert.status))
        return told is None or now - told >= self._host_interval

    def remember(self, alert: Alert, now: float) -> None:
        """As taken; forgets what was not heard of for longest."""
        if self.is_first(alert, now):
            self._put(self._hosts, (alert.host, alert.name, alert.status), now)
        self._put(self._last, alert.fingerprint, (alert.status, alert.moment))

    def _put(self, where: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
        where[key] = value
        where.move_to_end(key)
        if len(where) > self._limit:
            where.popitem(last=False)


class Rate:
    """How often in a second; what was not used is kept for one second."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Whether once more is allowed.

        :param now: seconds of a clock that never goes back.
        """
        gone = now - (now if self._at is None else self._at)
        self._at = now
        self._left = min(self._left + gone * self._per_second, self._per_second)
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Complaints:
    """Warnings about clients, so few that nobody can fill the log with them."""

    def __init__(self) -> None:
        self._rate = Rate(_COMPLAINTS_PER_SECOND)
        self._silent = 0

    def __call__(self, text: str, *args: object) -> None:
        """:param args: nothing that a client has sent."""
        if not self._rate.take(asyncio.get_running_loop().time()):
            self._silent += 1
            return
        if self._silent:
            LOG.warning("%d warnings were left out", self._silent)
            self._silent = 0
        LOG.warning(text, *args)


class _Connection(web.RequestHandler):
    """aiohttp's protocol, which tells when it is over, and logs nothing of what it was sent."""

    __slots__ = ("_complain", "over")

    def __init__(self, server: web.Server, complain: Complaints) -> None:
        loop = asyncio.get_running_loop()
        # A compressed body could be a small one that becomes huge.
        super().__init__(
            server,
            loop=loop,
            logger=_SILENT,
            access_log=_SILENT,
            lingering_time=1,
            auto_decompress=False,
        )
        self._complain = complain
        self.over = asyncio.Event()

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self.over.set()

    def log_exception(self, *_args: Any, **kw: Any) -> None:
        self._complain("a request broke: %s", type(kw.get("exc_info")).__name__)


class Receiver:
    """From connections to events."""

    def __init__(self, settings: Settings) -> None:
        """:raises ValueError, OSError: of credentials and certificates."""
        self._settings = settings
        self._credentials = Credentials(settings)
        self._tls = _tls(settings)
        self._memory = Memory(settings.max_remembered, settings.host_interval)
        self._rate = Rate(settings.max_requests)
        self._complain = Complaints()
        self._server = web.Server(self._handle)
        self._places = asyncio.Semaphore(settings.max_connections)
        self._connections: set[asyncio.Task[None]] = set()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue(settings.max_queue)

    async def listen(self, listener: socket.socket) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        try:
            while True:
                # Above the limit connections wait in the kernel: the old ones end in a bounded time.
                await self._places.acquire()
                try:
                    sock, peer = await loop.sock_accept(listener)
                except OSError as error:
                    # No file descriptor is left, say. Some clients are served, and end.
                    self._complain("cannot accept connections: %s", type(error).__name__)
                    self._places.release()
                    await asyncio.sleep(1)
                    continue
                task = loop.create_task(self._serve(sock, peer[0]))
                self._connections.add(task)
                task.add_done_callback(self._over)
        finally:
            await self._close()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._places.release()

    async def _close(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.shutdown(timeout=1)

    async def _serve(self, sock: socket.socket, peer: str) -> None:
        """One connection, one request, a bounded time: what is slow or hangs is cut off."""
        seconds = self._settings.timeout
        connection = _Connection(self._server, self._complain)
        try:
            transport, _protocol = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                sock,
                ssl=self._tls,
                ssl_handshake_timeout=seconds if self._tls else None,
                ssl_shutdown_timeout=1 if self._tls else None,
            )
        except OSError as error:
            self._complain("TLS with %s failed: %s", peer, type(error).__name__)
            return
        try:
            async with asyncio.timeout(seconds):
                await connection.over.wait()
        except TimeoutError:
            self._complain("the connection of %s is cut off after %d seconds", peer, seconds)
        finally:
            transport.abort()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        status, told = await self._answer(request)
        if status != 200:
            self._complain("answered %s with %d: %s", request.remote, status, told)
        response = web.json_response({"message": told}, status=status)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        elif status == 405:
            response.headers["Allow"] = "POST"
        elif status in (429, 503):
            response.headers["Retry-After"] = "1"
        response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> tuple[int, str]:
        if not self._credentials.token_is_right(request):
            return 401, "no valid token"
        if request.path not in (ALERTMANAGER, PROMETHEUS):
            return 404, f"there are {ALERTMANAGER} and {PROMETHEUS}"
        if request.method != "POST":
            return 405, "only POST"
        if "Content-Encoding" in request.headers:
            return 415, "the body must not be compressed"
        body = await self._read(request)
        if body is None:
            return 413, f"the body has more than {self._settings.max_body} bytes"
        if not self._credentials.signature_is_right(request, body):
            return 401, "no valid signature"
        if not self._rate.take(asyncio.get_running_loop().time()):
            return 429, f"more than {self._settings.max_requests} requests in a second"
        try:
            alerts = alerts_in(body, request.path)
        except Refused as refused:
            return 400, str(refused)
        if len(alerts) > self._settings.max_queue:
            return 413, f"more than {self._settings.max_queue} alerts at once"
        return self._take(alerts)

    async def _read(self, request: web.BaseRequest) -> bytes | None:
        """The body, or None if it is too long."""
        limit = self._settings.max_body
        if (request.content_length or 0) > limit:
            return None
        body = bytearray()
        while chunk := await request.content.readany():
            body += chunk
            if len(body) > limit:
                return None
        return bytes(body)

    def _take(self, alerts: list[Any]) -> tuple[int, str]:
        taken = known = 0
        reasons: set[str] = set()
        refused = 0
        wall, clock = datetime.now(UTC), asyncio.get_running_loop().time()
        for raw in alerts:
            try:
                alert = read_alert(raw, self._settings, wall)
            except Refused as why:
                refused += 1
                reasons.add(str(why))
                continue
            if not self._memory.is_news(alert):
                known += 1
                continue
            if not self._memory.is_first(alert, clock):
                known += 1
            elif self.events.full():
                # What was taken is remembered: sent again, only the others are news.
                return 503, f"the queue is full: {taken} taken, send the others again"
            else:
                self.events.put_nowait(alert.event())
                taken += 1
            self._memory.remember(alert, clock)
        told = f"{taken} taken, {known} known, {refused} refused"
        return (422, f"{told}: {', '.join(sorted(reasons))}") if refused else (200, told)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.certfile:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certfile, settings.keyfile)
    if settings.client_ca_file:
        context.load_verify_locations(settings.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def open_listener(settings: Settings) -> socket.socket:
    """:raises OSError: if the address cannot be had."""
    version = ipaddress.ip_address(settings.host).version
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=128)


async def serve(queue: asyncio.Queue[Any], receiver: Receiver, listener: socket.socket) -> None:
    """Receive on ``listener``, which is closed at the end, until cancelled."""
    with contextlib.closing(listener):
        async with asyncio.TaskGroup() as group:
            group.create_task(receiver.listen(listener))
            while True:
                await queue.put(await receiver.events.get())


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """What ansible-rulebook calls.

    :raises ValueError: for wrong arguments; OSError: if a file or the address cannot be had.
    """
    settings = Settings.of(args)
    if not settings.certfile and not ipaddress.ip_address(settings.host).is_loopback:
        LOG.warning("without TLS the token can be read on the network")
    await serve(queue, Receiver(settings), open_listener(settings))


if __name__ == "__main__":
    # By hand: python alert_webhook.py '{"port": 5005, "token_file": "token"}' prints the events.
    event_source.by_hand(main)
