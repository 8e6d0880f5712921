"""Certificates for connections by TLS: the servers' own, a client's, and a CA that signed neither."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .console import LabError

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650")
_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


def ensure(folder: Path) -> None:
    """Make ca, other-ca, server and client (.pem and .key) if they are missing."""
    if (folder / "client.pem").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name in ("ca", "other-ca"):
        _make(folder, name, "basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign,cRLSign")
    signed = (f"-CA={folder}/ca.pem", f"-CAkey={folder}/ca.key")
    _make(folder, "server", "basicConstraints=CA:FALSE", _NAMES, signer=signed)
    # The last one: with it all are there.
    _make(folder, "client", "basicConstraints=CA:FALSE", signer=signed)


def _make(folder: Path, name: str, *extensions: str, signer: tuple[str, ...] = ()) -> None:
    command = [*("openssl", "req", "-x509", *_NEW_KEY, "-subj", f"/CN=openstack-lab-{name}")]
    command += [*signer, "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
    for extension in extensions:
        command += ["-addext", extension]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"openssl cannot make the certificate {name}: {done.stderr.strip()}")
