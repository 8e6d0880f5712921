# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs of nova.conf and of cells, and accounts of the lab's MariaDB that may do less than Nova's own."""

from __future__ import annotations

import configparser
import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from . import cloud


def nova_url() -> str:
    """That of the API database."""
    return _nova_conf()["api_database"]["connection"]


def transport_url() -> str:
    return _nova_conf()["DEFAULT"]["transport_url"]


def _nova_conf() -> configparser.ConfigParser:
    conf = configparser.ConfigParser(interpolation=None, strict=False)
    conf.read(os.environ["OPENSTACK_LAB_NOVA_CONF"])
    return conf


def make(name: str, grants: Sequence[str]) -> str:
    """URL of Nova's API database for a new account.

    :param grants: privileges and where, as in a GRANT statement.
    """
    password = secrets.token_hex(8)
    drop(name)
    cloud.sql(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'")
    for grant in grants:
        cloud.sql(f"GRANT {grant} TO '{name}'@'127.0.0.1'")
    url = urlsplit(nova_url())
    return url._replace(netloc=f"{name}:{password}@{url.hostname}:{url.port}").geturl()


def drop(name: str) -> None:
    cloud.sql(f"DROP USER IF EXISTS '{name}'@'127.0.0.1'")


@contextlib.contextmanager
def account(name: str, grants: Sequence[str]) -> Iterator[str]:
    """The same, gone in the end."""
    try:
        yield make(name, grants)
    finally:
        drop(name)


def cell_url(cell: str) -> str:
    """What Nova has stored of where a cell's database is; a template perhaps."""
    ((stored,),) = cloud.sql(
        f"SELECT database_connection FROM nova_api.cell_mappings WHERE name = '{cell}'"
    )
    return str(stored)


def set_cell_url(cell: str, url: str) -> None:
    escaped = url.replace("'", "''")
    cloud.sql(
        f"UPDATE nova_api.cell_mappings SET database_connection = '{escaped}' WHERE name = '{cell}'"
    )
