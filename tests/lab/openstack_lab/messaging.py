"""RabbitMQ and memcached, as far as a reset has to touch them."""

from __future__ import annotations

import os
import socket
import subprocess

from .console import LabError
from .install import RABBITMQ_BIN
from .programs import rabbitmq_environment
from .settings import Settings

# Queues that nobody reads are deleted, the others emptied; one call, as rabbitmqctl is slow.
_CLEAN = (
    "[catch case rabbit_amqqueue:consumers(Q) of"
    ' [] -> rabbit_amqqueue:delete(Q, false, false, <<"lab">>);'
    " _ -> rabbit_amqqueue:purge(Q) end || Q <- rabbit_amqqueue:list()], ok."
)


def rabbitmqctl(settings: Settings, *arguments: str) -> str:
    environment = {
        **os.environ,
        **rabbitmq_environment(settings, settings.state / "rabbitmq"),
        "LANG": "C.UTF-8",
    }
    # For the server only; a client that sets its own port would collide with it.
    del environment["RABBITMQ_DIST_PORT"]
    command = [str(RABBITMQ_BIN / "rabbitmqctl"), "-q", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"rabbitmqctl: {done.stdout}{done.stderr}")
    return done.stdout


def clean_queues(settings: Settings) -> None:
    rabbitmqctl(settings, "eval", _CLEAN)


def flush_memcached(settings: Settings) -> None:
    with socket.create_connection(("127.0.0.1", settings.port("memcached")), 5) as connection:
        connection.sendall(b"flush_all\r\nquit\r\n")
        connection.recv(64)
