# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs as SQLAlchemy reads them, and templates as Nova fills them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openstack_recovery.nova.plugins.module_utils.adapters.database_url import (
    fill_cell_template,
    parse_database_url,
)
from ansible_collections.openstack_recovery.nova.plugins.module_utils.domain.errors import (
    RecoveryError,
)

FULL = "{scheme}://{username}:{password}@{hostname}:{port}/{path}?{query}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "mysql+pymysql://nova:pass%40word@db.example:3307/nova_api?charset=utf8",
            {"user": "nova", "password": "pass@word", "host": "db.example", "port": 3307},
        ),
        # SQLAlchemy takes all but '@' as it is; a plus sign is no blank.
        (
            "mysql+pymysql://nova:a/b#c?d:e+f%25@h/nova_api",
            {"user": "nova", "password": "a/b#c?d:e+f%", "host": "h"},
        ),
        ("mysql://nova:@h/nova_api", {"user": "nova", "password": "", "host": "h"}),
        ("mysql+mysqldb://n%C3%B6va@h/nova_api", {"user": "növa", "host": "h"}),
        ("mariadb+mariadbconnector://h/nova_api", {"host": "h"}),
        ("mysql+pymysql://n:p@[::1]:3307/nova_api", {"host": "::1", "port": 3307}),
        ("mysql+pymysql://n:p@[2001:db8::1]/nova_api", {"host": "2001:db8::1", "port": 3306}),
        (
            "mysql+pymysql://n:p@/nova_api?unix_socket=%2Frun%2Fmysqld.sock",
            {"unix_socket": "/run/mysqld.sock", "host": "localhost"},
        ),
        (
            "mysql+pymysql://n@h/nova_api?read_timeout=9&read_default_file=/etc/my.cnf"
            "&read_default_group=nova&plugin=dbcounter",
            {
                "options": {
                    "read_timeout": 9,
                    "read_default_file": "/etc/my.cnf",
                    "read_default_group": "nova",
                }
            },
        ),
        (
            "mysql+pymysql://n@h/nova_api?ssl_ca=/a%20b&ssl_cert=/c&ssl_key=/k&ssl_verify_cert=true"
            "&ssl_check_hostname=False",
            {
                "tls": {
                    "ssl_ca": "/a b",
                    "ssl_cert": "/c",
                    "ssl_key": "/k",
                    "ssl_verify_cert": True,
                    "ssl_check_hostname": False,
                }
            },
        ),
    ],
)
def test_a_url_is_read(url: str, expected: dict[str, Any]) -> None:
    found = parse_database_url(url)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.name == "nova_api"


@pytest.mark.parametrize(
    ("url", "code", "word"),
    [
        ("postgresql://n:s3cret@h/nova", "database_not_supported", "'postgresql'"),
        ("sqlite:////s3cret.db", "database_not_supported", "'sqlite'"),
        ("s3cret", "database_url_invalid", "not a URL"),
        ("mysql+pymysql://n:s3@cret@h/nova", "database_url_invalid", "%40"),
        ("mysql+pymysql://n:s3cret@h", "database_url_invalid", "schema"),
        ("mysql+pymysql://n:s3cret@h/", "database_url_invalid", "schema"),
        ("mysql+pymysql://n:s3cret@h:None/nova", "database_url_invalid", "port"),
        ("mysql+pymysql://n:s3cret@h:99999/nova", "database_url_invalid", "port"),
        ("mysql+pymysql://n:s3cret@h/nova?read_timeout=s3cret", "database_url_invalid", "seconds"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(
    url: str, code: str, word: str
) -> None:
    with pytest.raises(RecoveryError) as caught:
        parse_database_url(url, where="[database]connection")
    error = caught.value
    assert error.code == code
    assert word in error.message
    assert error.message.startswith("[database]connection ")
    assert "s3" not in f"{error.message}{error.details}"


def test_the_password_is_not_shown() -> None:
    url = "mysql://nova:s3cret@h/nova?ssl_key_password=s3cret"
    assert "s3cret" not in f"{parse_database_url(url)!r}"
    assert "user='nova'" in repr(parse_database_url(url))


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("mysql://n:p@db:3307/x", "db:3307"),
        ("mysql://n:p@[::1]/x", "[::1]:3306"),
        ("mysql://n:p@h/x?unix_socket=/run/s", "/run/s"),
    ],
)
def test_a_server_has_a_name_for_people(url: str, server: str) -> None:
    assert parse_database_url(url).server == server


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mysql://a:b@db/x", "mysql+pymysql://c:d@DB:3306/y", True),
        ("mysql://a@[::1]/x", "mysql://a@[0:0:0:0:0:0:0:1]/x", True),
        ("mysql://a@db./x", "mysql://a@db/x", True),
        ("mysql://a@db/x", "mysql://a@db:3307/x", False),
        ("mysql://a@db/x", "mysql://a@db2/x", False),
        # Nobody knows what listens where: two is the safe answer.
        ("mysql://a@localhost/x", "mysql://a@127.0.0.1/x", False),
        ("mysql://a@db/x?unix_socket=/s", "mysql://a@other/y?unix_socket=/s", True),
        ("mysql://a@db/x?unix_socket=/s", "mysql://a@db/x", False),
        ("mysql://a@db/x?read_default_file=/m", "mysql://a@db/x", False),
    ],
)
def test_whether_two_schemas_are_on_one_server(one: str, other: str, same: bool) -> None:
    first, second = parse_database_url(one), parse_database_url(other)
    assert first.same_server(second) is same
    assert second.same_server(first) is same


# The expectations are what CellMapping.format_db_url of Nova 33.0.2 gave.
@pytest.mark.parametrize(
    ("template", "local", "expected"),
    [
        (
            FULL,
            "mysql+pymysql://nova:p%40w%25d@Db.Example:3306/nova_cell0?charset=utf8",
            "mysql+pymysql://nova:p%40w%25d@db.example:3306/nova_cell0?charset=utf8",
        ),
        (
            "{scheme}://{username}:{password}@{hostname}/other?{query}",
            "mysql+pymysql://nova:pw@db/nova_cell0",
            "mysql+pymysql://nova:pw@db/other?",
        ),
        # A part that is not there becomes the word None.
        (FULL, "mysql://nova:pw@db/n", "mysql://nova:pw@db:None/n?"),
        (
            "{scheme}://{username}:{password}@[{hostname}]:{port}/{path}",
            "mysql://nova@[::1]:3307/n",
            "mysql://nova:None@[::1]:3307/n",
        ),
        (
            "{scheme}://{username1}:{password1}@{hostname2}:{port2}/{path}",
            "mysql://u1:p1@[::1]:1,u2@[::2]:2/n",
            "mysql://u1:p1@::2::2/n",
        ),
        ("mysql://a:b@h/n", "mysql://nova:pw@db/n", "mysql://a:b@h/n"),
        ("mysql://a:b{c@h/n", "mysql://nova:pw@db/n", "mysql://a:b{c@h/n"),
        ("mysql://a:{x}@h/n", None, "mysql://a:{x}@h/n"),
    ],
)
def test_a_template_is_filled_as_nova_does(template: str, local: str | None, expected: str) -> None:
    assert fill_cell_template(template, local) == expected


@pytest.mark.parametrize(
    ("template", "local", "word"),
    [
        (FULL, None, "no local"),
        (FULL, "mysql://nova:s3cret@h:port/n", "cannot be read"),
        ("{scheme}://{username2}@{hostname}/n", "mysql://n:s3cret@h/n", "lacks"),
        ("{scheme}://{username1}@h/n", "mysql://a:s3cret@[::1/n", "cannot be read"),
        ("{scheme}://{username1}@h/n", "mysql://a:s3cret@h1:1,b:s3cret@h2:2x/n", "cannot be read"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(
    template: str, local: str | None, word: str
) -> None:
    with pytest.raises(RecoveryError) as caught:
        fill_cell_template(template, local)
    assert caught.value.code == "cell_template_unfilled"
    assert word in caught.value.message
    assert "s3cret" not in caught.value.message
