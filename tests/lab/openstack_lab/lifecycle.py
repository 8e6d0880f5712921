"""up, down and reset."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import (
    bootstrap,
    configure,
    host_programs,
    install,
    messaging,
    processes,
    readiness,
)
from .config_common import Lab
from .console import LabError, say, step
from .database import Database
from .install import Installed
from .power import power_off
from .programs import (
    CINDER_CONTROL,
    NOVA_CONTROL,
    apis,
    child_environment,
    infrastructure,
    services,
)
from .readiness import Readiness
from .settings import DATABASE_SERVERS, HOSTS, Settings, recall, remember
from .supervisor import Supervisor


class Lifecycle:
    """The lab as a whole."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Supervisor(settings)
        self._ready = Readiness(settings, self._supervisor)
        self._database = Database(settings)
        # Written when the databases are seeded; holds the name of their snapshot.
        self._seeded = settings.state / "seeded"

    def up(self, *, fresh: bool = False) -> None:
        """:param fresh: unless all of it runs, it does not go on with what it held before."""
        if self._supervisor.is_running() and self._seeded.exists():
            self._refuse_other(recall())
            self._refuse_older()
            if all(process.alive for process in self._supervisor.processes().values()):
                say("the lab is up already")
                return
            if fresh:
                self.down()
                self._up_from_stopped(fresh)
            else:
                self._start_missing()
        else:
            self._up_from_stopped(fresh)
        say(f"the lab is up: OS_CLIENT_CONFIG_FILE={self._settings.state}/clouds.yaml OS_CLOUD=lab")

    def _refuse_other(self, running: Settings | None) -> None:
        for name in ("release", "base_port", "cell0_database", "profile"):
            old, new = getattr(running, name), getattr(self._settings, name)
            if old != new:
                raise LabError(f"a lab with {name} {old} is running, not {new}: `lab down` first")

    def _refuse_older(self) -> None:
        known = {*infrastructure(self._settings), *services(self._settings)}
        if known != self._supervisor.processes().keys():
            raise LabError("the running lab was started by older code: `lab down`, then `lab up`")

    def _start_missing(self) -> None:
        """Repair a running lab: start what is not running."""
        gone = [name for name, process in self._supervisor.processes().items() if not process.alive]
        say(f"starting what is missing: {' '.join(gone)}")
        self._start_infrastructure()
        self._start_services()

    def _up_from_stopped(self, fresh: bool) -> None:
        settings = self._settings
        installed = install.ensure(settings)
        settings.state.mkdir(parents=True, exist_ok=True)
        settings.state.chmod(0o700)
        if self._supervisor.is_running():  # an `up` that was interrupted
            self._supervisor.shutdown()
        processes.end_leftovers(settings)
        processes.check_ports(settings)
        lab = Lab(settings, configure.password(settings))
        name = bootstrap.snapshot_folder(lab).name
        fresh = fresh or not self._seeded.exists() or self._seeded.read_text() != name
        if fresh:
            self._forget_data()
        configure.write_all(settings, installed)
        if fresh:
            self._database.create_files()
        remember(settings)
        self._launch(installed)
        self._start_infrastructure()
        if fresh:
            self._fill(lab, installed)
        else:
            self._start_services()
            self._mend_seeds(lab, installed)
        self._seeded.write_text(name)

    def _forget_data(self) -> None:
        self._seeded.unlink(missing_ok=True)
        parts = ("rabbitmq", "computes", "glance", "cinder", "volumes", "faults")
        for name in (*DATABASE_SERVERS, *parts):
            shutil.rmtree(self._settings.state / name, ignore_errors=True)

    def _launch(self, installed: Installed) -> None:
        conf = str(self._settings.etc / "supervisord.conf")
        environment = child_environment(self._settings, installed)
        self._supervisor.launch([installed.tool("supervisord"), "-c", conf], environment)

    def _fill(self, lab: Lab, installed: Installed) -> None:
        """From empty databases to the seeded state, by the snapshot if there is one."""
        self._database.create_schemas(lab)
        snapshot = bootstrap.snapshot_folder(lab)
        if bootstrap.snapshot_exists(snapshot):
            with step("databases from the snapshot"):
                self._database.load(snapshot, "full")
                bootstrap.restore_images(self._settings, snapshot)
            self._start_services()
            return
        say("no snapshot yet: first bootstrap, one to two minutes")
        bootstrap.Bootstrap(lab, installed).run()
        self._supervisor.start("keystone")
        self._ready.api("keystone")
        with step("accounts and endpoints"):
            bootstrap.seed(self._settings, installed, lab.password, "identity")
        self._start_services()
        with step("image, flavors, networks"):
            bootstrap.seed(self._settings, installed, lab.password, "resources")
        self._wait_for_hosts(lab, installed)
        bootstrap.take_snapshot(lab, self._database)

    def _start_infrastructure(self) -> None:
        with step("MariaDB, RabbitMQ, memcached"):
            self._supervisor.start(*infrastructure(self._settings))
            servers = self._settings.database_servers
            self._ready.until("MariaDB", self._database.answers, servers)
            self._ready.port("rabbitmq")
            self._ready.port("memcached")

    def _start_services(self) -> None:
        """Everything else, in an order that lets the slowest begin first."""
        since = readiness.now(self._database)
        with step("OpenStack services"):
            before = self._supervisor.processes()
            first = ["keystone", "placement", "nova-super-conductor", "nova-cell1-conductor"]
            self._supervisor.start(*first, *host_programs.before_apis(self._settings))
            # nova-compute gives up its first inventory if it finds no Placement.
            self._ready.api("keystone")
            self._ready.api("placement")
            self._supervisor.start(*services(self._settings))
            for api in apis(self._settings):
                self._ready.api(api)
            for bmc in host_programs.bmcs(self._settings):
                self._ready.port(bmc)
            started = [name for name in services(self._settings) if not before[name].alive]
            known = readiness.reports(self._settings)
            self.wait_for_reports([name for name in started if name in known], since)

    def wait_for_reports(self, programs: list[str], since: str) -> None:
        wanted: dict[str, set[str]] = {}
        for name in programs:
            schema, service = readiness.reports(self._settings)[name]
            wanted.setdefault(schema, set()).add(service)

        def reported() -> bool:
            return all(
                names <= readiness.reported(self._database, schema, since)
                for schema, names in wanted.items()
            )

        self._ready.until("first reports of the services", reported, programs)

    def _wait_for_hosts(self, lab: Lab, installed: Installed) -> None:
        """The snapshot must hold every host: found by the cell, known to Placement and Neutron."""

        def complete() -> bool:
            counts = self._database.query(
                "SELECT (SELECT COUNT(*) FROM nova_api.host_mappings),"
                " (SELECT COUNT(DISTINCT resource_provider_id) FROM placement.inventories),"
                " (SELECT COUNT(*) FROM neutron.agents)"
            )[0]
            return all(int(count) == len(HOSTS) for count in counts)

        with step("hosts known everywhere"):
            bootstrap.discover_hosts(lab, installed)
            self._ready.until(
                "hosts known everywhere",
                complete,
                [*host_programs.computes(self._settings), "l2-agents"],
            )

    def _mend_seeds(self, lab: Lab, installed: Installed) -> None:
        """Seed again only if something is missing: asking the database takes no time."""
        volume_types = (
            " AND (SELECT COUNT(*) FROM cinder.volume_types WHERE name = 'lab-volumes') >= 1"
        )
        (complete,) = self._database.query(
            "SELECT (SELECT COUNT(*) FROM nova_api.flavors WHERE name LIKE 'lab.%') >= 3"
            " AND (SELECT COUNT(*) FROM glance.images"
            "      WHERE name = 'lab-image' AND status = 'active') >= 1"
            " AND (SELECT COUNT(*) FROM neutron.networks n JOIN neutron.subnets s"
            "      ON s.network_id = n.id WHERE n.name IN ('lab-net', 'lab-net-2')) >= 2"
            " AND (SELECT COUNT(*) FROM keystone.project WHERE name IN ('demo', 'other')) >= 2"
            + (volume_types if self._settings.has_cinder else "")
        )[0]
        if complete != "1":
            with step("seeds"):
                for part in ("identity", "resources"):
                    bootstrap.seed(self._settings, installed, lab.password, part)

    def down(self) -> None:
        if self._supervisor.is_running():
            with step("stopping everything"):
                # One by one: supervisord's own shutdown waits seconds for each group.
                below = infrastructure(self._settings)
                self._supervisor.kill(*(self._supervisor.processes().keys() - set(below)))
                for name in (*self._settings.database_servers, "rabbitmq"):
                    self._supervisor.stop(name)
                self._supervisor.kill(*below)
                self._supervisor.shutdown()
        processes.end_leftovers(self._settings)
        say("the lab is down")

    def reset(self) -> None:
        """Back to the seeded state."""
        # The one this lab was made from, even if the lab's code has changed since.
        snapshot = self._settings.cache / self._seeded.read_text()
        if not bootstrap.snapshot_exists(snapshot):
            raise LabError(f"the snapshot {snapshot} is gone: `lab down` and `lab up` instead")
        self._refuse_older()
        self._start_infrastructure()
        # Work in flight would write into the restored databases; these also remember hosts.
        with step("databases, queues, guests"):
            self._supervisor.kill(*NOVA_CONTROL, *host_programs.bmcs(self._settings))
            for host in HOSTS:
                power_off(self._settings, self._supervisor, host)
            self._clean_files()
            with ThreadPoolExecutor(4) as pool:
                jobs = [
                    pool.submit(messaging.clean_queues, self._settings),
                    pool.submit(messaging.flush_memcached, self._settings),
                    pool.submit(self._database.load, snapshot, "reset"),
                    pool.submit(self._database.drop_recovery_schemas),
                    pool.submit(bootstrap.restore_images, self._settings, snapshot),
                ]
                for job in jobs:
                    job.result()
        since = readiness.now(self._database)
        self._start_services()
        if self._settings.has_cinder:
            # Cinder runs on: what it has in flight belongs to volumes that are gone, and finds no
            # row to write to. But the restored rows of its services are old.
            self.wait_for_reports([*CINDER_CONTROL], since)
        say("the lab is reset")

    def _clean_files(self) -> None:
        settings = self._settings
        for host in HOSTS:
            folder = settings.host_dir(host)
            (folder / "capacity.json").unlink(missing_ok=True)
            settings.compute_disabled_file(host).unlink(missing_ok=True)
            settings.before_compute_file(host).unlink(missing_ok=True)
            for name in ("guests", "instances"):
                _empty(folder / name)
            if settings.has_libvirt:
                # Domains that libvirt knows of, and what belongs to them.
                _empty(folder / "lib-libvirt")
                _empty(folder / "etc-libvirt" / "qemu")
        if settings.has_libvirt:
            _empty(settings.volumes)
        for fault in (settings.state / "faults").iterdir():
            fault.unlink()


def _empty(folder: Path) -> None:
    """Leaves the folder itself: it may be mounted somewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
