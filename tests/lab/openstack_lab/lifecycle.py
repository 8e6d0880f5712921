"""up, down and reset."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

from . import bootstrap, configure, install, messaging, processes, readiness
from .config_common import Lab
from .console import LabError, say, step
from .database import Database
from .install import Installed
from .programs import APIS, INFRASTRUCTURE, LINKS, NOVA_CONTROL, SERVICES, child_environment
from .readiness import Readiness
from .settings import HOSTS, Settings, recall, remember
from .supervisor import Supervisor

# The first report of each of these says that it works.
NOVA_REPORTS = {
    "nova-super-conductor": "controller/nova-conductor",
    "nova-scheduler": "controller/nova-scheduler",
    "nova-cell1-conductor": "cell1/nova-conductor",
    **{host: f"{host}/nova-compute" for host in HOSTS},
}


class Lifecycle:
    """The lab as a whole."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._supervisor = Supervisor(settings)
        self._ready = Readiness(settings, self._supervisor)
        self._database = Database(settings)
        # Written when the databases are seeded; holds the name of their snapshot.
        self._seeded = settings.state / "seeded"

    def up(self) -> None:
        if self._supervisor.is_running() and self._seeded.exists():
            self._refuse_other(recall())
            if all(process.alive for process in self._supervisor.processes().values()):
                say("the lab is up already")
                return
            self._start_missing()
        else:
            self._up_from_stopped()
        say(f"the lab is up: OS_CLIENT_CONFIG_FILE={self._settings.state}/clouds.yaml OS_CLOUD=lab")

    def _refuse_other(self, running: Settings | None) -> None:
        for name in ("release", "base_port"):
            old, new = getattr(running, name), getattr(self._settings, name)
            if old != new:
                raise LabError(f"a lab with {name} {old} is running, not {new}: `lab down` first")

    def _start_missing(self) -> None:
        """Repair a running lab: start what is not running."""
        gone = [name for name, process in self._supervisor.processes().items() if not process.alive]
        say(f"starting what is missing: {' '.join(gone)}")
        self._start_infrastructure()
        self._start_services()

    def _up_from_stopped(self) -> None:
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
        fresh = not self._seeded.exists() or self._seeded.read_text() != name
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
        for name in ("mariadb", "rabbitmq", "computes", "glance"):
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
            self._supervisor.start(*INFRASTRUCTURE)
            self._ready.until("mariadb", self._database.answers, ["mariadb"])
            self._ready.port("rabbitmq")
            self._ready.port("memcached")

    def _start_services(self) -> None:
        """Everything else, in an order that lets the slowest begin first."""
        since = readiness.now(self._database)
        with step("OpenStack services"):
            before = self._supervisor.processes()
            first = ["keystone", "placement", "nova-super-conductor", "nova-cell1-conductor"]
            self._supervisor.start(*first, *LINKS)
            # nova-compute gives up its first inventory if it finds no Placement.
            self._ready.api("keystone")
            self._ready.api("placement")
            self._supervisor.start(*SERVICES)
            for api in APIS:
                self._ready.api(api)
            started = [name for name in SERVICES if not before[name].alive]
            self.wait_for_reports([name for name in started if name in NOVA_REPORTS], since)

    def wait_for_reports(self, programs: list[str], since: str) -> None:
        wanted = {NOVA_REPORTS[name] for name in programs}

        def reported() -> bool:
            return wanted <= readiness.nova_services(self._database, since)

        self._ready.until("first reports of Nova's services", reported, programs)

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
            self._ready.until("hosts known everywhere", complete, [*HOSTS, "l2-agents"])

    def _mend_seeds(self, lab: Lab, installed: Installed) -> None:
        """Seed again only if something is missing: asking the database takes no time."""
        (complete,) = self._database.query(
            "SELECT (SELECT COUNT(*) FROM nova_api.flavors WHERE name LIKE 'lab.%') >= 3"
            " AND (SELECT COUNT(*) FROM glance.images"
            "      WHERE name = 'lab-image' AND status = 'active') >= 1"
            " AND (SELECT COUNT(*) FROM neutron.networks n JOIN neutron.subnets s"
            "      ON s.network_id = n.id WHERE n.name IN ('lab-net', 'lab-net-2')) >= 2"
            " AND (SELECT COUNT(*) FROM keystone.project WHERE name IN ('demo', 'other')) >= 2"
        )[0]
        if complete != "1":
            with step("seeds"):
                for part in ("identity", "resources"):
                    bootstrap.seed(self._settings, installed, lab.password, part)

    def down(self) -> None:
        if self._supervisor.is_running():
            with step("stopping everything"):
                # One by one: supervisord's own shutdown waits seconds for each group.
                self._supervisor.kill(*SERVICES)
                self._supervisor.stop("mariadb")
                self._supervisor.stop("rabbitmq")
                self._supervisor.kill(*INFRASTRUCTURE)
                self._supervisor.shutdown()
        processes.end_leftovers(self._settings)
        say("the lab is down")

    def reset(self) -> None:
        """Back to the seeded state."""
        # The one this lab was made from, even if the lab's code has changed since.
        snapshot = self._settings.cache / self._seeded.read_text()
        if not bootstrap.snapshot_exists(snapshot):
            raise LabError(f"the snapshot {snapshot} is gone: `lab down` and `lab up` instead")
        self._start_infrastructure()
        # Work in flight would write into the restored databases; these also remember hosts.
        restarted = [*NOVA_CONTROL, *HOSTS]
        with step("databases, queues, guests"):
            self._supervisor.kill(*restarted)
            self._clean_files()
            with ThreadPoolExecutor(4) as pool:
                jobs = [
                    pool.submit(messaging.clean_queues, self._settings),
                    pool.submit(messaging.flush_memcached, self._settings),
                    pool.submit(self._database.load, snapshot, "reset"),
                    pool.submit(bootstrap.restore_images, self._settings, snapshot),
                ]
                for job in jobs:
                    job.result()
        self._start_services()
        say("the lab is reset")

    def _clean_files(self) -> None:
        state = self._settings.state
        for host in HOSTS:
            folder = self._settings.host_dir(host)
            (folder / "capacity.json").unlink(missing_ok=True)
            for name in ("guests", "instances"):
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / name).mkdir(parents=True)
        for fault in (state / "faults").iterdir():
            fault.unlink()
