# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenario never_booted_refused needs: instances of every kind, wrong logins, and proofs.

python3 -m never_booted.refused prepare FILE       makes them, and writes what cases.yml needs
python3 -m never_booted.refused snapshot FILE      what every table holds
python3 -m never_booted.refused compare FILE       fails when any table has changed since
python3 -m never_booted.refused head VERSION       has the cells' schemas be of that; prints what it was
python3 -m never_booted.refused no-secrets VARS FILE ...   fails when a file has a secret
python3 -m never_booted.refused rights             an account gets what each error says it lacks
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import yaml
from expecting import require
from lab_access import connect

from . import cloud, connections, database_account
from .crash import PREP, databases, keep_networks, say
from .modules import run, succeed, use_collections

ACCOUNT = "recovery_refused"
# It stands wherever a password is given that is none.
WRONG = "not-the-password"
# Services report there every few seconds.
_BEATS = {"services", "compute_nodes", "agents", "standardattributes"}
_SCHEMAS = ("nova_api", "nova_cell0", "nova_cell1", "neutron", "cinder", "placement", "glance")


def prepare(file: Path) -> None:
    demo = connect("-demo")
    cloud.create(demo, {"name": "booted"})
    booted = cloud.wait(demo, "ACTIVE", "booted", 1)["booted"]
    names = ("good", "bare", "prepared", "elsewhere", "deleted")
    bandwidth = {"network": "lab-net", "port": "bandwidth-port", "minimum_kbps": 1000}
    entries = [{"name": name} for name in names] + [{"name": "bandwidth", "networks": [bandwidth]}]
    uuids = cloud.bury(entries) | {"booted": booted}
    # From here on only what this scenario does wrong keeps them from being built.
    cloud.set_room(room=True)
    kept = [uuids[name] for name in ("good", "prepared", "elsewhere")]
    keep_networks(kept)
    succeed(PREP, {**databases(), "instances": [uuids["prepared"]]})
    demo.compute.delete_server(uuids["deleted"])
    cell1 = "(SELECT id FROM nova_api.cell_mappings WHERE name = 'cell1')"
    cloud.sql(
        f"UPDATE nova_api.instance_mappings SET cell_id = {cell1}, updated_at = updated_at"
        f" WHERE instance_uuid = '{uuids['elsewhere']}'"
    )
    port = next(connect().network.ports(device_id=booted))
    shown = {
        "nova_conf": os.environ["OPENSTACK_LAB_NOVA_CONF"],
        "report_dir": str(file.parent),
        "uuids": uuids,
        "used_port": port.id,
        "used_address": port.fixed_ips[0]["ip_address"],
        **_connections(file.parent),
    }
    file.write_text(yaml.safe_dump(shown), encoding="utf-8")
    file.chmod(0o600)


def _connections(folder: Path) -> dict[str, Any]:
    """URLs and a cloud that are wrong in one way each."""
    api, bus = database_account.nova_url(), database_account.transport_url()
    config = yaml.safe_load(Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text(encoding="utf-8"))
    own = config["clouds"][os.environ["OS_CLOUD"]]
    encrypted = connections.prepare(folder)
    return {
        "databases": {
            "wrong_password": _changed(api, password=WRONG),
            "wrong_port": _changed(api, port=1),
            "wrong_schema": _changed(api, path="/nova_cell0"),
            "no_url": f"nova:{WRONG}@127.0.0.1",
            "no_rights": database_account.make(ACCOUNT, []),
            **encrypted["databases"],
        },
        "buses": {
            "wrong_password": _changed(bus, password=WRONG),
            "wrong_port": _changed(bus, port=1),
            "wrong_vhost": _changed(bus, path="/no-such-vhost"),
            "no_url": f"nova:{WRONG}@127.0.0.1",
            **encrypted["buses"],
        },
        "clouds": {"wrong_password": {**own, "auth": {**own["auth"], "password": WRONG}}},
    }


def _changed(
    url: str, *, password: str | None = None, port: int | None = None, path: str | None = None
) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}:{password or parts.password}@{parts.hostname}:{port or parts.port}"
    return parts._replace(netloc=user, path=path or parts.path).geturl()


def snapshot() -> dict[str, Any]:
    """A checksum of every table that only changes when somebody changes something."""
    shown = ", ".join(f"'{schema}'" for schema in _SCHEMAS)
    tables = cloud.sql(
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN"
        f" ({shown}) AND TABLE_TYPE = 'BASE TABLE'"
    )
    names = sorted(f"{schema}.{table}" for schema, table in tables if table not in _BEATS)
    sums: dict[str, Any] = dict(cloud.sql(f"CHECKSUM TABLE {', '.join(names)}"))
    # A wrong message bus is noted there; what an instance is, is not changed by that.
    rebuilds = cloud.sql("SELECT instance_uuid, state FROM nova_recovery.rebuilds ORDER BY id")
    sums["nova_recovery.rebuilds"] = [list(row) for row in rebuilds]
    return sums


def compare(before: dict[str, Any]) -> None:
    after = snapshot()
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    require(not changed, f"these have changed: {changed}")


def set_head(version: str) -> str:
    require(re.fullmatch(r"\w+", version), "a version is one word")
    ((before,),) = cloud.sql("SELECT version_num FROM nova_cell1.alembic_version")
    for schema in ("nova_cell0", "nova_cell1"):
        statement = f"UPDATE {schema}.alembic_version SET version_num = '{version}'"
        cloud.sql(statement, cell0=schema == "nova_cell0")
    return str(before)


def forbid_secrets(variables: dict[str, Any], files: list[Path]) -> None:
    urls = [*variables["databases"].values(), *variables["buses"].values()]
    urls += [database_account.nova_url(), database_account.transport_url()]
    passwords = {urlsplit(url).password for url in urls} - {None}
    secrets = {word for found in passwords for word in (str(found), unquote(str(found)))}
    secrets |= {connections.PASSWORD, quote(connections.PASSWORD, safe="")}
    config = yaml.safe_load(Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text(encoding="utf-8"))
    secrets |= {entry["auth"]["password"] for entry in config["clouds"].values()} | {WRONG}
    for file in files:
        text = file.read_text(encoding="utf-8")
        require(len(text) > 1000, f"{file} has nothing to look at")
        for number, line in enumerate(text.splitlines(), start=1):
            # A Fernet token begins so.
            found = any(secret in line for secret in secrets) or "gAAAA" in line
            require(not found, f"line {number} of {file} has a secret")


def rights() -> None:
    """From no right at all, by what each error says, to a preparation; and back."""
    uuid = next(s.id for s in connect("-demo").compute.servers() if s.name == "good")
    url = database_account.make(ACCOUNT, [])
    stored = database_account.cell_url("cell0")
    template = "{scheme}://{username}:{password}@{hostname}:{port}/nova_cell0?{query}"
    database_account.set_cell_url("cell0", template)
    options = {**databases(), "api_database": url, "cell_database": url, "instances": [uuid]}
    try:
        granted = _grant_until_it_works(options)
        require({"nova_api", "nova_cell0", "nova_recovery"} <= granted, f"granted: {granted}")
        succeed(PREP, {**options, "state": "buried"})
    finally:
        database_account.set_cell_url("cell0", stored)
        database_account.drop(ACCOUNT)
    say("rights: granting what each error says makes it work")


def _grant_until_it_works(options: dict[str, Any]) -> set[str]:
    """The schemas of which rights were granted."""
    granted: list[str] = []
    while (result := run(PREP, options).result).get("failed"):
        error = result["error"]
        require(error["code"] == "database_no_grant", f"after {granted}: {result}")
        grant = error["details"]["grant"]
        require(f"{grant};" in result["msg"], f"the message does not say it: {result}")
        require(grant not in granted, f"it does not help: {grant}")
        granted.append(grant)
        cloud.sql(grant)
    for grant in granted:
        say(grant)
    return {grant.split("`")[1] for grant in granted}


def main(arguments: list[str]) -> None:
    use_collections()
    match arguments:
        case ["prepare", file]:
            prepare(Path(file))
        case ["snapshot", file]:
            Path(file).write_text(json.dumps(snapshot()), encoding="utf-8")
        case ["compare", file]:
            compare(json.loads(Path(file).read_text(encoding="utf-8")))
        case ["head", version]:
            print(set_head(version))
        case ["no-secrets", variables, *files]:
            loaded = yaml.safe_load(Path(variables).read_text(encoding="utf-8"))
            forbid_secrets(loaded, [Path(file) for file in files])
        case ["rights"]:
            rights()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
