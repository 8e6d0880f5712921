# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers refuse, as codes; the texts are those of MariaDB 10.11 and MySQL 8."""

from __future__ import annotations

import ssl
from typing import Any

import pymysql
import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.database_url import (
    parse_database_url,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.mysql_errors import (
    UNDONE,
    Statement,
    is_lost,
    translate,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    MutationRefused,
    RecoveryError,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.never_booted.database_errors import (
    DatabaseConflict,
)

ADDRESS = parse_database_url("mysql://nova:s3cret@db/nova_api")


def statement(sql: str = "UPDATE t SET a = %s", *, read_only: bool = False) -> Statement:
    return Statement(sql, ADDRESS, read_only, ("SELECT", "UPDATE"))


def error_of(code: int, text: str = "text", **options: Any) -> RecoveryError:
    error = pymysql.err.OperationalError(code, text)
    return translate(error, statement(**options), account=lambda: "nova@%")


@pytest.mark.parametrize(
    ("numbers", "code", "retriable"),
    [
        ((2002, 2003, 2006, 2013, 0, 1040, 1053, 1203, 1927), "database_unavailable", True),
        ((1045, 1130, 1698, 2059), "database_auth_failed", False),
        ((1044, 1142, 1143, 1227, 1370), "database_no_grant", False),
        ((1049,), "database_unknown", False),
        ((2026, 3159), "database_tls_error", False),
        ((1205, 1213, 1047, 1317, 1020), "database_conflict", True),
        ((1290, 1792, 1836), "database_read_only", False),
        ((1054, 1146), "database_schema_unknown", False),
        ((1153,), "database_packet_too_big", False),
        ((1062,), "database_duplicate", False),
        ((1064, 1366, 9999), "database_error", False),
    ],
)
def test_every_number_has_its_code(numbers: tuple[int, ...], code: str, retriable: bool) -> None:
    for number in numbers:
        found = error_of(number)
        assert (found.code, found.retriable) == (code, retriable), number
        assert found.details["errno"] == number
        assert found.details["server"] == "db:3306"
        assert found.details["statement"] == "UPDATE t SET"
        assert isinstance(found, DatabaseConflict) is (code == "database_conflict")


def test_a_write_of_what_may_only_read_is_refused() -> None:
    assert isinstance(error_of(1792, read_only=True), MutationRefused)
    assert error_of(1290, read_only=True).code == "database_read_only"


@pytest.mark.parametrize(
    ("code", "text", "sql", "grant"),
    [
        (
            1142,
            "SELECT command denied to user 'nova'@'192.0.2.9' for table `nova_cell0`.`instances`",
            "SELECT 1",
            "GRANT SELECT, UPDATE ON `nova_cell0`.* TO 'nova'@'%'",
        ),
        # MySQL names the table alone; the statement knows the schema.
        (
            1142,
            "CREATE command denied to user 'nova'@'192.0.2.9' for table 'journal'",
            "CREATE TABLE IF NOT EXISTS `nova_recovery`.`journal` (id INT)",
            "GRANT SELECT, UPDATE, CREATE, ALTER, INDEX, REFERENCES ON `nova_recovery`.* TO 'nova'@'%'",
        ),
        (
            1142,
            "DELETE command denied to user 'nova'@'192.0.2.9' for table 'cell_mappings'",
            "DELETE FROM cell_mappings",
            "GRANT SELECT, UPDATE, DELETE ON `nova_api`.* TO 'nova'@'%'",
        ),
        (
            1044,
            "Access denied for user 'nova'@'%' to database 'nova_recovery'",
            "CREATE DATABASE x",
            "GRANT SELECT, UPDATE, CREATE, ALTER, INDEX, REFERENCES ON `nova_recovery`.* TO 'nova'@'%'",
        ),
    ],
)
def test_what_lacks_a_grant_tells_it(code: int, text: str, sql: str, grant: str) -> None:
    found = error_of(code, text, sql=sql)
    assert found.details["grant"] == grant
    assert f"{grant};" in found.message


def test_an_account_that_cannot_be_read_is_that_of_the_message() -> None:
    text = "SELECT command denied to user 'n'@'h' for table 't'"
    found = translate(pymysql.err.OperationalError(1142, text), statement())
    assert "TO 'n'@'h'" in found.details["grant"]


def test_a_failed_handshake_is_no_failed_connection() -> None:
    error = pymysql.err.OperationalError(2003, "Can't connect (unknown CA)")
    error.original_exception = ssl.SSLError(1, "unknown CA")  # type: ignore[attr-defined]
    assert translate(error, statement()).code == "database_tls_error"
    assert error_of(2003, "([SSL: CERTIFICATE_VERIFY_FAILED] ...)").code == "database_tls_error"


def test_a_login_that_needs_another_package() -> None:
    error = RuntimeError("'cryptography' package is required for caching_sha2_password")
    assert translate(error, statement()).code == "database_auth_failed"


def test_values_are_never_shown() -> None:
    """The server quotes them in some of its messages."""
    for number in (1062, 1064, 1366, 1406):
        text = "Duplicate entry 's3cret' for key 'uniq0'"
        found = error_of(number, text)
        assert "s3cret" not in f"{found.message}{found.details}", number
    assert "(key uniq0)" in error_of(1062, "Duplicate entry 'x' for key 'uniq0'").message


@pytest.mark.parametrize(
    ("sql", "short"),
    [
        ("SELECT a, b FROM t WHERE c = %s", "SELECT FROM t"),
        ("SELECT 1", "SELECT 1"),
        ("INSERT INTO t VALUES (1)", "INSERT INTO t"),
        ("COMMIT", "COMMIT"),
    ],
)
def test_a_statement_is_named_in_short(sql: str, short: str) -> None:
    assert statement(sql).short == short


def test_which_errors_end_the_connection() -> None:
    lost = [2006, 2013, 1153, 1927, 0]
    assert all(is_lost(pymysql.err.OperationalError(number, "")) for number in lost)
    assert is_lost(TimeoutError())
    kept = [1205, 1213, 1062, 1142]
    assert not any(is_lost(pymysql.err.OperationalError(number, "")) for number in kept)


def test_only_some_conflicts_are_sure_to_have_undone_a_commit() -> None:
    assert {1213, 1205, 1020} == UNDONE
