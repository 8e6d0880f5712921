# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud behind requests: answers without a network, and remembers what was sent."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters import (
    openstack_connection,
)

BASE = "http://cloud.test"
# How one logs in to it, and all options of a connection with their defaults.
AUTH = {
    "auth_url": f"{BASE}/identity/v3",
    "username": "admin",
    "password": "secret",
    "project_name": "admin",
    "user_domain_id": "default",
    "project_domain_id": "default",
}
OPTIONS: dict[str, Any] = {
    name: option.get("default") for name, option in openstack_connection.CONNECTION_OPTIONS.items()
}

_CATALOG = [
    {
        "type": kind,
        "name": name,
        "endpoints": [{"interface": "public", "region_id": "one", "url": f"{BASE}{path}"}],
    }
    for kind, name, path in (
        ("compute", "nova", "/compute/v2.1"),
        ("network", "neutron", "/network"),
        ("placement", "placement", "/placement"),
        ("image", "glance", "/image"),
    )
]
_TOKEN = {
    "token": {
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "methods": ["password"],
        "catalog": _CATALOG,
        "project": {"id": "p", "name": "admin", "domain": {"id": "d", "name": "d"}},
        "user": {"id": "u", "name": "admin", "domain": {"id": "d", "name": "d"}},
        "roles": [],
    }
}


def _version(path: str, number: str, **others: str) -> dict[str, Any]:
    links = [{"rel": "self", "href": BASE + path}]
    return {"id": number, "status": "CURRENT", "links": links, **others}


_NOVA = _version("/compute/v2.1", "v2.1", version="2.100", min_version="2.1")
_USUAL: dict[str, Any] = {
    "/identity/v3": {"version": _version("/identity/v3", "v3.14")},
    "/compute/v2.1": {"version": _NOVA},
    "/compute/": {"versions": [_NOVA]},
    "/network": {"versions": [_version("/network/v2.0", "v2.0")]},
    "/compute/v2.1/os-services": {"services": []},
    "/placement": {
        "versions": [
            _version("/placement", "v1.0", max_version="1.39", min_version="1.0"),
        ]
    },
}

Answer = tuple[int, Any]


class FakeHttp:
    """``answers``: by path a (status, body), what makes one of the query, or an exception.

    ``default`` for everything.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self.timeouts: list[Any] = []
        self.answers: dict[str, Answer | Callable[[Mapping[str, str]], Answer] | Exception] = {}
        self.default: Exception | None = None
        self.date: Callable[[], str] | None = None

    @classmethod
    @contextlib.contextmanager
    def patched(cls, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHttp]:
        fake = cls()
        monkeypatch.setattr(requests.Session, "send", lambda _session, *a, **k: fake.send(*a, **k))
        yield fake

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        path = urlsplit(request.url or "").path
        path = path if path == "/compute/" else path.rstrip("/")
        self.seen.append((request.method or "", str(path)))
        self.headers.append({str(k): str(v) for k, v in request.headers.items()})
        self.bodies.append(request.body)
        self.timeouts.append(options.get("timeout"))
        answer = self.answers.get(str(path), self.default)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(dict(parse_qsl(urlsplit(request.url or "").query)))
        status, body = answer or self._usual(request, str(path))
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, str(request.url)
        response._content = json.dumps(body).encode()
        response.headers.update(
            {"Content-Type": "application/json", "x-openstack-request-id": "req-1"}
        )
        if self.date is not None:
            response.headers["Date"] = self.date()
        if str(path).endswith("/auth/tokens"):
            response.headers["X-Subject-Token"] = "token"
        return response

    @staticmethod
    def _usual(request: requests.PreparedRequest, path: str) -> tuple[int, Any]:
        if path.endswith("/auth/tokens"):
            return 201, _TOKEN
        if request.method == "GET":
            return 200, _USUAL.get(path, {})
        return 200, {}
