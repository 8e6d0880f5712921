# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nova.conf says of Nova's databases and message bus, read by oslo.config as Nova reads it."""

from __future__ import annotations

import re
import socket
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..domain.errors import RecoveryError

OSLO_CONFIG_IMPORT_ERROR: str | None = None
try:
    from oslo_config import cfg
except ImportError:
    OSLO_CONFIG_IMPORT_ERROR = traceback.format_exc()

NOVA_OPTIONS: dict[str, dict[str, Any]] = {
    "nova_conf": {"type": "list", "elements": "path", "default": ["/etc/nova/nova.conf"]},
    "api_database": {"type": "str", "no_log": True},
    "cell_database": {"type": "str", "no_log": True},
    "transport_url": {"type": "str", "no_log": True},
    "journal_schema": {"type": "str", "default": "nova_recovery"},
    "allow_untested_release": {"type": "bool", "default": False},
}

# Options that Nova's others are often made of, as $my_ip or $state_path. oslo.messaging has none
# of these, so they can also stand in what it is given.
_REFERRED_TO = ("my_ip", "my_block_storage_ip", "state_path", "bindir", "pybasedir", "tempdir")
# The message bus can be several hosts: user:password@host,user:password@host
_PASSWORD = re.compile(r"(?:^|,)[^:/@,]*:([^@]*)@")
_MODULE_OPTIONS = {
    ("api_database", "connection"): "api_database",
    ("database", "connection"): "cell_database",
    ("DEFAULT", "transport_url"): "transport_url",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaConf:
    """What is stated; ``repr`` shows nothing that can hold a password.

    :param paths: where it was read, for messages.
    :param database: URL of the local ``[database]connection``, which the templates in
        cell_mappings are filled from; None where there is none.
    :param control_exchange: the exchange of Nova's RPC.
    :param rpc_response_timeout: seconds.
    :param long_rpc_timeout: seconds; what Nova gives a call to the scheduler.
    :param oslo: the parsed files without any of these options registered, for oslo.messaging to
        register its own, such as those of ``[oslo_messaging_rabbit]``. An option that was given
        explicitly is not in it: pass ``transport_url`` and ``control_exchange`` on.
    """

    paths: tuple[str, ...]
    database: str | None = field(repr=False)
    control_exchange: str
    rpc_response_timeout: int
    long_rpc_timeout: int
    oslo: Any = field(repr=False, compare=False)
    _api_database: str | None = field(repr=False)
    _transport_url: str | None = field(repr=False)

    @property
    def api_database(self) -> str:
        """URL of ``[api_database]connection``.

        :raises RecoveryError: ``option_missing``.
        """
        return self._stated(self._api_database, "api_database", "connection")

    @property
    def transport_url(self) -> str:
        """URL of the message bus that the API and the super-conductor share.

        :raises RecoveryError: ``option_missing``.
        """
        return self._stated(self._transport_url, "DEFAULT", "transport_url")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every password in the URLs, as it is written and as it is meant."""
        found: list[str] = []
        for url in (self._api_database, self.database, self._transport_url):
            authority = (url or "").partition("://")[2].rpartition("@")
            found += _PASSWORD.findall("".join(authority[:2]))
        return tuple(
            dict.fromkeys(word for text in found for word in (text, unquote(text)) if word)
        )

    def _stated(self, value: str | None, section: str, option: str) -> str:
        if value is None:
            raise RecoveryError(
                "option_missing",
                f"[{section}]{option} is not set in {_files(self.paths)}: name the files and"
                " folders of a controller's Nova in nova_conf, or give"
                f" {_MODULE_OPTIONS[section, option]}",
                details={"section": section, "option": option, "paths": list(self.paths)},
            )
        return value


def read_nova_conf(
    paths: Sequence[str],
    *,
    api_database: str | None = None,
    database: str | None = None,
    transport_url: str | None = None,
) -> NovaConf:
    """Read files, and the ``*.conf`` of folders in the order of their names; the last one wins.

    Nothing else is looked at: no default path, no environment. Without paths there is only what
    is given here.

    :param paths: like Nova's ``--config-file`` and ``--config-dir``.
    :param api_database: URL that replaces ``[api_database]connection``.
    :param database: URL that replaces ``[database]connection``.
    :param transport_url: URL that replaces ``[DEFAULT]transport_url``.
    :raises RecoveryError: ``nova_conf_missing``, ``nova_conf_unreadable``, ``nova_conf_invalid``,
        ``option_invalid``.
    """
    arguments: list[str] = []
    for path in paths:
        arguments += ["--config-dir" if _is_folder(path) else "--config-file", path]
    conf = _parse(arguments)
    for group, option in (
        ("api_database", cfg.StrOpt("connection", secret=True)),
        ("database", cfg.StrOpt("connection", secret=True)),
        (None, cfg.StrOpt("transport_url", secret=True)),
        # Nova's own defaults; oslo.messaging's exchange would be "openstack".
        (None, cfg.StrOpt("control_exchange", default="nova")),
        (None, cfg.IntOpt("rpc_response_timeout", default=60)),
        (None, cfg.IntOpt("long_rpc_timeout", default=1800)),
    ):
        conf.register_opt(option, group=group)

    def value(section: str, option: str) -> Any:
        return _value(conf, section, option, paths)

    return NovaConf(
        paths=tuple(paths),
        _api_database=api_database or value("api_database", "connection") or None,
        database=database or value("database", "connection") or None,
        _transport_url=transport_url or value("DEFAULT", "transport_url") or None,
        control_exchange=value("DEFAULT", "control_exchange"),
        rpc_response_timeout=value("DEFAULT", "rpc_response_timeout"),
        long_rpc_timeout=value("DEFAULT", "long_rpc_timeout"),
        # One of its own: a second definition of an option that oslo.messaging has is an error.
        oslo=_parse(arguments),
    )


def _parse(arguments: list[str]) -> Any:
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.StrOpt("host", default=socket.gethostname()))
    conf.register_opts([cfg.StrOpt(name) for name in _REFERRED_TO])
    try:
        # Without these lists oslo.config would look for files by itself.
        conf(
            arguments,
            project="nova",
            default_config_files=[],
            default_config_dirs=[],
            use_env=False,
        )
    except cfg.ConfigFilesNotFoundError as error:
        raise _missing(str(next(iter(error.config_files), "nova_conf"))) from None
    except cfg.ConfigFilesPermissionDeniedError as error:
        raise _unreadable(str(next(iter(error.config_files), "nova_conf"))) from None
    except cfg.ConfigFileParseError as error:
        # Its message quotes the line, which may hold a password.
        line = re.search(r"at line (\d+)|:(\d+)", str(error.msg))
        where = f", line {line[1] or line[2]}" if line else ""
        raise _invalid(error.config_file, f"it cannot be parsed{where}") from None
    except UnicodeDecodeError:
        raise _invalid(_files(arguments[1::2]), "it is not UTF-8") from None
    return conf


def _value(conf: Any, section: str, option: str, paths: Sequence[str]) -> Any:
    try:
        found = conf[option] if section == "DEFAULT" else conf[section][option]
    except (cfg.Error, ValueError):
        # What these say holds the value.
        raise RecoveryError(
            "option_invalid",
            f"[{section}]{option} in {_files(paths)} has no usable value: it is of the wrong type,"
            " or refers to an option ($name) that is not known here; write a dollar sign as $$",
            details={"section": section, "option": option, "paths": list(paths)},
        ) from None
    return found.strip() if isinstance(found, str) else found


def _is_folder(path: str) -> bool:
    """Whether it is one; a file or folder that cannot be read is an error already here."""
    place = Path(path).expanduser()
    try:
        if place.is_dir():
            # oslo.config takes a folder that it may not list for an empty one.
            next(place.iterdir(), None)
            return True
        place.stat()
    except PermissionError:
        raise _unreadable(path) from None
    except OSError:
        raise _missing(path) from None
    return False


def _missing(path: str) -> RecoveryError:
    return RecoveryError(
        "nova_conf_missing",
        f"there is no {path}: run this on a controller, or name the configuration files of its Nova"
        " in nova_conf (an empty list if api_database and the other options say all)",
        details={"path": path},
    )


def _unreadable(path: str) -> RecoveryError:
    return RecoveryError(
        "nova_conf_unreadable",
        f"{path} may not be read: run this as root or as Nova's user (become), or let its group"
        " read it",
        details={"path": path},
    )


def _invalid(path: str, why: str) -> RecoveryError:
    return RecoveryError(
        "nova_conf_invalid",
        f"{path} is not a configuration file of Nova: {why}. Correct it, or name another one in"
        " nova_conf",
        details={"path": path},
    )


def _files(paths: Sequence[str]) -> str:
    return ", ".join(paths) or "nova_conf (which is empty)"
