# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to an OpenStack cloud: openstack.cloud's options, one session, one error map."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urlsplit

from ..domain.errors import ApiRefused, ApiUnavailable, MutationRefused, RecoveryError

OPENSTACKSDK_IMPORT_ERROR: str | None = None
try:
    import openstack
    from keystoneauth1 import exceptions as ks_exceptions
    from keystoneauth1 import session as ks_session
    from openstack import exceptions as sdk_exceptions

    _Session = ks_session.Session
except ImportError:
    OPENSTACKSDK_IMPORT_ERROR = traceback.format_exc()
    _Session = object  # type: ignore[assignment,misc]

# The microversion of every compute call, pinned on purpose: the newest that all releases since
# Zed serve. An SDK negotiates the newest that both sides know otherwise, and from 2.95 on Nova
# leaves every evacuated instance stopped. 2.68 and newer have no way around the scheduler.
COMPUTE_MICROVERSION = "2.93"
# From 1.28 on a consumer has a generation, so that a change by others is noticed.
PLACEMENT_MICROVERSION = "1.28"

# openstack.cloud's connection options, with its aliases and defaults; a unit test compares them.
CONNECTION_OPTIONS: dict[str, dict[str, Any]] = {
    "cloud": {"type": "raw"},
    "auth_type": {"type": "str"},
    "auth": {"type": "dict", "no_log": True},
    "region_name": {"type": "str"},
    "validate_certs": {"type": "bool", "aliases": ["verify"]},
    "ca_cert": {"type": "str", "aliases": ["cacert"]},
    "client_cert": {"type": "str", "aliases": ["cert"]},
    "client_key": {"type": "str", "no_log": True, "aliases": ["key"]},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 180},
    "api_timeout": {"type": "int"},
    "interface": {
        "type": "str",
        "default": "public",
        "choices": ["public", "internal", "admin"],
        "aliases": ["endpoint_type"],
    },
    "sdk_log_path": {"type": "str"},
    "sdk_log_level": {"type": "str", "default": "INFO", "choices": ["INFO", "DEBUG"]},
}

# Options that a cloud given as a whole dictionary brings itself.
_EXCLUDED_BY_CLOUD_DICT = (
    "auth",
    "auth_type",
    "region_name",
    "validate_certs",
    "ca_cert",
    "client_cert",
    "client_key",
    "api_timeout",
)
# A socket that never answers must not stop a recovery for ever.
_DEFAULT_API_TIMEOUT = 60


class RecoverySession(_Session):
    """A session that counts requests by kind, remembers the API's clock and can be read-only.

    It never sends a request twice by itself: only the caller knows whether a repetition is safe.
    """

    read_only = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.requests: dict[str, int] = {}
        self._clock_offset: float | None = None

    def request(self, url: str, method: str, *arguments: Any, **options: Any) -> Any:
        is_login = options.get("authenticated") is False
        if self.read_only and method not in ("GET", "HEAD") and not is_login:
            raise MutationRefused(f"{method} {url}")
        options["connect_retries"] = 0
        options["status_code_retries"] = 0
        kind = _kind(method, url)
        self.requests[kind] = self.requests.get(kind, 0) + 1
        response = super().request(url, method, *arguments, **options)
        self._note_time(response.headers.get("Date"))
        return response

    def _note_time(self, date: str | None) -> None:
        try:
            # HTTP dates are UTC, also where one says so in a way that leaves the zone open.
            told = parsedate_to_datetime(date or "").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return
        self._clock_offset = told - datetime.now(UTC).timestamp()

    def api_time(self) -> datetime:
        """The clock of the API that answered last; this machine's where it does not tell."""
        now = datetime.now(UTC)
        offset = self._clock_offset
        # The header has whole seconds; a difference that small says nothing.
        if offset is None or abs(offset) < 2:
            return now
        return datetime.fromtimestamp(now.timestamp() + offset, UTC)


def _kind(method: str, url: str) -> str:
    """For example: POST servers/action; ids and versions are left out."""
    words = urlsplit(url).path.split("/")
    return f"{method} {'/'.join(word for word in words if re.fullmatch('[A-Za-z_-]+', word))}"


class ReadOnlySession(RecoverySession):
    """Refuses everything but reads and the login itself."""

    read_only = True


class CloudConnection:
    """An authenticated openstacksdk connection with pinned microversions."""

    def __init__(self, sdk: Any, session: RecoverySession) -> None:
        self.sdk = sdk
        self.session = session
        sdk.compute.default_microversion = COMPUTE_MICROVERSION
        # clouds.yaml can ask for cached answers; a decision needs what is true now.
        sdk.cache_enabled = False

    @property
    def placement(self) -> Any:
        """openstacksdk's proxy; looked up only where it is needed, as a cloud may have none."""
        proxy = self.sdk.placement
        proxy.default_microversion = PLACEMENT_MICROVERSION
        return proxy

    def read(self, proxy: Any, path: str, microversion: str | None = None) -> Any:
        """GET what openstacksdk has no resource for; the decoded JSON.

        :param microversion: instead of the proxy's own.
        """
        # An explicit None would send no version at all, instead of the proxy's.
        version = {"microversion": microversion} if microversion else {}
        response = proxy.get(path, **version)
        sdk_exceptions.raise_from_response(response)
        return response.json()

    def delete(self, proxy: Any, path: str) -> None:
        """DELETE what openstacksdk has no resource for; what is gone already is no error."""
        response = proxy.delete(path)
        if response.status_code != 404:
            sdk_exceptions.raise_from_response(response)

    def send_once(
        self, proxy: Any, method: str, path: str, body: dict[str, Any], **options: Any
    ) -> str | None:
        """One call that changes something; its request id, which openstacksdk's resources drop.

        :param options: of keystoneauth: ``microversion``, instead of the proxy's own; ``log=False``
            for an answer that holds a secret.
        """
        response = getattr(proxy, method)(path, json=body, **options)
        request_id: str | None = response.headers.get("x-openstack-request-id")
        try:
            sdk_exceptions.raise_from_response(response)
        except sdk_exceptions.HttpException as error:
            error.request_id = error.request_id or request_id
            raise
        return request_id

    def has_service(self, service_type: str) -> bool:
        """Whether the catalog has an endpoint of this type."""
        with cloud_errors(f"look up {service_type} in the catalog"):
            return bool(self.sdk.config.get_session_endpoint(service_type))


def connect(params: Mapping[str, Any], *, read_only: bool) -> CloudConnection:
    """Connect with a module's parameters, and authenticate at once.

    :param params: values of CONNECTION_OPTIONS.
    :param read_only: refuse, in the session itself, every call that is not a read.
    :raises RecoveryError: with what to do about it.
    """
    given = params["cloud"]
    if isinstance(given, Mapping):
        extra = [name for name in _EXCLUDED_BY_CLOUD_DICT if params[name] is not None]
        if params["interface"] != "public":
            extra.append("interface")
        if extra:
            raise RecoveryError(
                "invalid_options",
                f"'cloud' is a whole cloud configuration: leave out {', '.join(extra)} or put them"
                " into it",
            )
        options = {"api_timeout": _DEFAULT_API_TIMEOUT, **given}
    else:
        options = {
            "cloud": given,
            "auth_type": params["auth_type"],
            "auth": params["auth"],
            "region_name": params["region_name"],
            "verify": params["validate_certs"],
            "cacert": params["ca_cert"],
            "cert": params["client_cert"],
            "key": params["client_key"],
            "api_timeout": params["api_timeout"] or _DEFAULT_API_TIMEOUT,
            "interface": params["interface"],
        }
    if params["sdk_log_path"]:
        debug = params["sdk_log_level"] == "DEBUG"
        openstack.enable_logging(debug=debug, http_debug=debug, path=params["sdk_log_path"])
    with cloud_errors("log in"):
        region = openstack.config.OpenStackConfig(
            session_constructor=ReadOnlySession if read_only else RecoverySession
        ).get_one(**options)
        connection = openstack.connection.Connection(config=region)
        session = cast(RecoverySession, region.get_session())
        session.get_token()
        return CloudConnection(connection, session)


def none_if_missing(read: Callable[[], Any]) -> Any:
    """What the call reads, or None when the cloud answers that it does not exist."""
    try:
        return read()
    except sdk_exceptions.NotFoundException:
        return None


@contextmanager
def cloud_errors(what: str) -> Iterator[None]:
    """Turns what keystoneauth and openstacksdk raise into RecoveryErrors.

    :param what: what was being done, for the message: "evacuate instance ...".
    """
    try:
        yield
    except RecoveryError:
        raise
    except Exception as error:
        for types, translate in _translations():
            if isinstance(error, types):
                raise translate(what, error) from error
        raise


def _translations() -> list[tuple[Any, Callable[[str, Any], RecoveryError]]]:
    return [
        (ks_exceptions.SSLError, _tls_error),
        (ks_exceptions.ConnectionError, _unreachable),
        (ks_exceptions.DiscoveryFailure, _unreachable),
        (ks_exceptions.EndpointNotFound, _no_endpoint),
        (ks_exceptions.HttpError, _http_error),
        (sdk_exceptions.HttpException, _http_error),
        (sdk_exceptions.ConfigException, _bad_configuration),
        (ks_exceptions.ClientException, _bad_configuration),
        (sdk_exceptions.SDKException, _sdk_error),
        ((ValueError, KeyError, TypeError, AttributeError), _unexpected_answer),
    ]


def _unexpected_answer(what: str, error: Exception) -> RecoveryError:
    # For example the HTML page of a load balancer where JSON should be.
    return RecoveryError(
        "unexpected_answer",
        f"could not {what}: the answer is not what the API documents:"
        f" {type(error).__name__}: {error}",
        retriable=True,
    )


def _tls_error(what: str, error: Exception) -> RecoveryError:
    return RecoveryError(
        "tls_error",
        f"could not {what}: the TLS connection failed: {error}. Check the endpoint's certificate;"
        " give the CA that signed it as ca_cert, or the client's as client_cert and client_key.",
    )


def _unreachable(what: str, error: Exception) -> RecoveryError:
    # openstacksdk reports a TLS failure of its version discovery as a plain discovery failure.
    if "SSL" in str(error) or "certificate" in str(error).lower():
        return _tls_error(what, error)
    return ApiUnavailable(f"could not {what}: the cloud does not answer: {error}")


def _no_endpoint(what: str, error: Exception) -> RecoveryError:
    return RecoveryError(
        "no_endpoint",
        f"could not {what}: {error}. Check region_name and interface against the service catalog.",
    )


def _bad_configuration(what: str, error: Exception) -> RecoveryError:
    return RecoveryError(
        "invalid_cloud_config",
        f"could not {what}: {str(error).rstrip('.')}. Check 'cloud' and clouds.yaml, or the OS_* environment.",
    )


def _sdk_error(what: str, error: Exception) -> RecoveryError:
    return RecoveryError("api_error", f"could not {what}: {error}")


def _http_error(what: str, error: Any) -> RecoveryError:
    status = getattr(error, "status_code", None) or getattr(error, "http_status", None) or 0
    request_id = getattr(error, "request_id", None)
    text = str(getattr(error, "details", None) or error).strip()
    if status in (0, 429) or status >= 500:
        answer = f"HTTP {status}" if status else "no HTTP status"
        return ApiUnavailable(
            f"could not {what}: {answer}: {text}", request_id=request_id, http_status=status
        )
    if status == 401:
        message = f"could not {what}: the credentials were refused: {text}"
        return ApiRefused("auth_failed", message, status=status, request_id=request_id)
    if status == 403:
        message = (
            f"could not {what}: the user lacks the right: {text}. By Nova's default policy this"
            " needs the role admin."
        )
        return ApiRefused("forbidden", message, status=status, request_id=request_id)
    message = f"could not {what}: HTTP {status}: {text}"
    return ApiRefused("api_refused", message, status=status, request_id=request_id)
