# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections as other clouds have them: TLS over IPv6, a unix socket, hard passwords, templates.

python3 -m never_booted.connections templates FILE   cells get templates; FILE gets what they were
python3 -m never_booted.connections restore FILE     cells get that again
python3 -m never_booted.connections nova UUID CONF   Nova's own tool finds it by that nova.conf
python3 -m never_booted.connections drop             the accounts are gone
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from expecting import require
from lab_access import lab_module, lab_settings, nova_manage

from . import cloud, database_account

ACCOUNT = "recovery_connections"
# All that SQLAlchemy takes as it is; everywhere else it is encoded.
PASSWORD = "p:a/s?s#w&o=r d%{}+;!~"
_ENCODED = quote(PASSWORD, safe="")
# Erlang; see _bus.
_BUS_USERS = "rabbit_auth_backend_internal"
_DELETE_USER = f"catch {_BUS_USERS}:delete_user(User, By)"
_SCHEMAS = ("nova_api", "nova_cell0", "nova_cell1", "nova_recovery")


def prepare(folder: Path) -> dict[str, Any]:
    """Make the accounts and files of nova.conf; what the playbooks need, wrong ones included."""
    _make_database_accounts()
    word = base64.b64encode(PASSWORD.encode()).decode()
    _bus(
        f'{_DELETE_USER}, {_BUS_USERS}:add_user(User, base64:decode(<<"{word}">>), By),'
        f' {_BUS_USERS}:set_permissions(User, <<"nova">>, <<".*">>, <<".*">>, <<".*">>, By)'
    )
    tls = _tls()
    client = {key: tls[key] for key in ("ssl_cert", "ssl_key")}
    bus = {f"{key}_file": path for key, path in tls.items()}
    certificate = {key: bus[key] for key in ("ssl_cert_file", "ssl_key_file")}
    other_ca, no_ca = f"{lab_settings().tls}/other-ca.pem", f"{folder}/no-such-ca.pem"
    _write(folder / "tls.conf", _transport(), _database(tls), _database(tls, "nova_cell0"), bus)
    by_socket = {"unix_socket": os.environ["OPENSTACK_LAB_DATABASE_SOCKET"]}
    cell0_socket = {"unix_socket": os.environ["OPENSTACK_LAB_CELL0_DATABASE_SOCKET"]}
    urls = (_database(by_socket), _database(cell0_socket, "nova_cell0"))
    _write(folder / "socket.conf", database_account.transport_url(), *urls)
    return {
        "databases": {
            "other_ca": _database({**client, "ssl_ca": other_ca}),
            "no_ca_file": _database({**client, "ssl_ca": no_ca}),
            # The account must have one.
            "no_certificate": _database({"ssl_ca": tls["ssl_ca"]}),
        },
        "buses": {
            "other_ca": _transport({**certificate, "ssl": "true", "ssl_ca_file": other_ca}),
            "no_ca_file": _transport({**certificate, "ssl": "true", "ssl_ca_file": no_ca}),
            "no_certificate": _transport({"ssl": "true", "ssl_ca_file": tls["ssl_ca"]}),
            "not_encrypted": _transport(),
        },
    }


def _make_database_accounts() -> None:
    """By TLS with a client's certificate only, and by the unix socket."""
    address = lab_module("settings").loopback()[-1]
    for origin, needs in ((address, "REQUIRE X509"), ("localhost", "")):
        account = f"'{ACCOUNT}'@'{origin}'"
        for cell0 in (False, True):
            cloud.sql(
                f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{PASSWORD}' {needs}", cell0=cell0
            )
            for schema in _SCHEMAS:
                cloud.sql(f"GRANT ALL ON {schema}.* TO {account}", cell0=cell0)


def _tls() -> dict[str, str]:
    folder = lab_settings().tls
    return {
        "ssl_ca": f"{folder}/ca.pem",
        "ssl_cert": f"{folder}/client.pem",
        "ssl_key": f"{folder}/client.key",
    }


def _host() -> str:
    """As it stands in a URL."""
    address = lab_module("settings").loopback()[-1]
    return f"[{address}]" if ":" in address else address


def _port(schema: str) -> int:
    settings = lab_settings()
    return int(settings.port(settings.database_server(schema)))


def _database(query: dict[str, str], schema: str = "nova_api") -> str:
    # Templates are filled from that of cell0, which only an encoded password bears.
    password = PASSWORD if schema == "nova_api" else _ENCODED
    host = "localhost" if "unix_socket" in query else _host()
    shown = urlencode({"charset": "utf8", **query})
    return f"mysql+pymysql://{ACCOUNT}:{password}@{host}:{_port(schema)}/{schema}?{shown}"


def _transport(query: dict[str, str] | None = None) -> str:
    place = f"{ACCOUNT}:{_ENCODED}@{_host()}:{lab_settings().port('rabbitmq-tls')}/nova"
    return f"rabbit://{place}{'?' + urlencode(query) if query else ''}"


def _write(
    file: Path, transport: str, api: str, cell0: str, bus: dict[str, str] | None = None
) -> None:
    """What is not in it is in the lab's own nova.conf, which is read before."""
    lines = [
        f"[DEFAULT]\ntransport_url = {transport}",
        f"[api_database]\nconnection = {api}",
        f"[database]\nconnection = {cell0}",
    ]
    if bus:
        options = {"ssl": "true", **bus}
        lines += ["[oslo_messaging_rabbit]", *(f"{key} = {text}" for key, text in options.items())]
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def set_templates(file: Path) -> None:
    """For both cells; Nova's own services fill them as well."""
    cells = ("cell0", "cell1")
    file.touch(mode=0o600)
    before = {cell: database_account.cell_url(cell) for cell in cells}
    file.write_text(json.dumps(before), encoding="utf-8")
    for cell in cells:
        schema = f"nova_{cell}"
        place = f"[{{hostname}}]:{_port(schema)}/{schema}"
        database_account.set_cell_url(
            cell, f"{{scheme}}://{{username}}:{{password}}@{place}?{{query}}"
        )


def restore(file: Path) -> None:
    for cell, url in json.loads(file.read_text(encoding="utf-8")).items():
        database_account.set_cell_url(cell, url)


def ask_nova(uuid: str, conf: str) -> None:
    """By nova-manage, which reads the API's database and that of the instance's cell."""
    print(nova_manage("cell_v2", "verify_instance", "--uuid", uuid, files=[conf]), end="")


def drop() -> None:
    for origin in (lab_module("settings").loopback()[-1], "localhost"):
        for cell0 in (False, True):
            cloud.sql(f"DROP USER IF EXISTS '{ACCOUNT}'@'{origin}'", cell0=cell0)
    _bus(_DELETE_USER)


def _bus(expressions: str) -> None:
    """In RabbitMQ itself: its command-line tool takes seconds for each thing to do."""
    script = f'User = <<"{ACCOUNT}">>, By = <<"tests">>, {expressions}, ok.'
    done = lab_module("messaging").rabbitmqctl(lab_settings(), "eval", script)
    require(done.strip().endswith("ok"), f"RabbitMQ says {done}")


def main(arguments: list[str]) -> None:
    match arguments:
        case ["templates", file]:
            set_templates(Path(file))
        case ["restore", file]:
            restore(Path(file))
        case ["nova", uuid, conf]:
            ask_nova(uuid, conf)
        case ["drop"]:
            drop()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
