# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-rulebook, Alertmanager and Prometheus as processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from expecting import require, wait

TOKEN = "the token of the lab's alerts"
COLLECTION = Path("ansible_collections/openstack_recovery/nova")
# Debian's Alertmanager reads its templates from /usr/share, and was not installed: only it sees them there.
_WITH_ITS_SHARE = 'mount --bind "$1/usr/share" /usr/share && shift && exec "$@"'


def shipped() -> Path:
    """The collection as it is built."""
    for folder in os.environ["ANSIBLE_COLLECTIONS_PATH"].split(os.pathsep):
        if (Path(folder) / COLLECTION).is_dir():
            return Path(folder) / COLLECTION
    raise SystemExit("the collection is not in ANSIBLE_COLLECTIONS_PATH")


def fresh(folder: Path) -> Path:
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Programs:
    """What runs, in a folder of its own. All of it ends with the block of ``running``."""

    def __init__(
        self, folder: Path, tools: Path, collections: Path, variables: dict[str, Any]
    ) -> None:
        """:param tools: where Debian's packages were unpacked; variables: of the inventory."""
        self._folder, self._tools, self._collections = folder, tools, collections
        self._started: list[subprocess.Popen[bytes]] = []
        (folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
        (folder / "token").chmod(0o600)
        localhost = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        self._write(
            "inventory.yml", {"all": {"hosts": {"localhost": localhost}, "vars": variables}}
        )

    @classmethod
    @contextlib.contextmanager
    def running(
        cls, folder: Path, tools: Path, collections: Path, variables: dict[str, Any]
    ) -> Iterator[Programs]:
        programs = cls(folder, tools, collections, variables)
        try:
            yield programs
        finally:
            for process in programs._started:
                process.terminate()
            for process in programs._started:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _write(self, name: str, content: object) -> Path:
        path = self._folder / name
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    def _start(self, name: str, argv: list[str | Path], port: int) -> None:
        """Start a server and wait until it listens."""
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "EDA_MAX_CONCURRENT_ACTIONS": "4",
        }
        with (self._folder / f"{name}.log").open("wb") as log:
            self._started.append(
                subprocess.Popen(argv, env=environment, stdout=log, stderr=subprocess.STDOUT)
            )

        def listens() -> bool:
            require(self._started[-1].poll() is None, f"{name} has ended: {self.log(name)}")
            with socket.create_connection(("127.0.0.1", port), 1):
                return True

        wait(name, listens, 90)

    def rulebook(self, name: str, *more: str, **variables: Any) -> int:
        """Start ansible-rulebook with one of the rulebooks.

        :return: its port.
        """
        port = free_port()
        variables |= {
            "alert_webhook_port": port,
            "alert_webhook_token_file": str(self._folder / "token"),
        }
        self._start(
            name,
            [
                *("ansible-rulebook", "--rulebook", f"openstack_recovery.nova.{name}"),
                *("--inventory", str(self._folder / "inventory.yml")),
                *("--vars", str(self._write(f"{name}.yml", variables)), *more),
            ],
            port,
        )
        return port

    def alertmanager(self, config: Path, urls: dict[int, int]) -> int:
        """Start Alertmanager with a shipped configuration, only with other ports and files.

        :param urls: ports of the webhooks by those in the configuration.
        :return: its port.
        """
        text = config.read_text(encoding="utf-8")
        for old, new in urls.items():
            require(f":{old}/" in text, f"{config} has no port {old}")
            text = text.replace(f":{old}/", f":{new}/")
        wanted = yaml.safe_load(text)
        # Not half a minute until an end is told.
        wanted["route"]["routes"][0]["group_interval"] = "2s"
        for webhook in wanted["receivers"][0]["webhook_configs"]:
            webhook["http_config"]["authorization"]["credentials_file"] = f"{self._folder}/token"
        port = free_port()
        self._start(
            "alertmanager",
            [
                *("unshare", "--mount", "sh", "-c", _WITH_ITS_SHARE, "sh", str(self._tools)),
                str(self._tools / "usr/bin/prometheus-alertmanager"),
                *("--config.file", str(self._write("alertmanager.yml", wanted))),
                *("--storage.path", str(self._folder / "alertmanager")),
                *("--web.listen-address", f"127.0.0.1:{port}", "--cluster.listen-address", ""),
            ],
            port,
        )
        return port

    def prometheus(self, rules: Path, targets: dict[str, int], alertmanager: int) -> int:
        """Start Prometheus with shipped rules, only with shorter times.

        :param targets: ports of the exporters of hosts, by host.
        :return: its port.
        """
        wanted = yaml.safe_load(rules.read_text(encoding="utf-8"))
        group = wanted["groups"][0]
        group["interval"] = "1s"
        down = group["rules"][0]
        require(down["alert"] == "NovaComputeDown", "the first rule is another one")
        # The lab's service_down_time is 6 seconds.
        down |= {"for": "10s", "keep_firing_for": "5s"}
        static = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": host}}
            for host, port in targets.items()
        ]
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": [str(self._write("rules.yml", wanted))],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
            },
            "scrape_configs": [{"job_name": "nova-compute", "static_configs": static}],
        }
        port = free_port()
        self._start(
            "prometheus",
            [
                str(self._tools / "usr/bin/prometheus"),
                *("--config.file", str(self._write("prometheus.yml", config))),
                *("--storage.tsdb.path", str(self._folder / "prometheus")),
                *("--web.listen-address", f"127.0.0.1:{port}"),
            ],
            port,
        )
        return port

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
