"""Any OpenStack API as uwsgi runs it, able to answer every request with one error code.

Runs inside the OpenStack environment. `lab fault API CODE` writes the file named in
LAB_FAULT_FILE; each request looks at it, so nothing is restarted.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import json
import os
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

FAULT_FILE = Path(os.environ["LAB_FAULT_FILE"])


def _load() -> Application:
    """The module of newer releases, or the script that older ones install."""
    module = os.environ["LAB_WSGI_MODULE"]
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found:
        wsgi: Any = importlib.import_module(module)
    else:
        script = os.environ["LAB_WSGI_SCRIPT"]
        loader = importlib.machinery.SourceFileLoader("lab_wsgi_script", script)
        spec = importlib.util.spec_from_loader("lab_wsgi_script", loader)
        if spec is None:
            raise ImportError(script)
        wsgi = importlib.util.module_from_spec(spec)
        loader.exec_module(wsgi)
    loaded: Application = wsgi.application
    return loaded


def _fault() -> int | None:
    try:
        fault = json.loads(FAULT_FILE.read_text())
    except FileNotFoundError:
        return None
    until = fault["until"]
    return int(fault["code"]) if until is None or time.time() < until else None


_real = _load()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    code = _fault()
    if code is None:
        return _real(environ, start_response)
    body = json.dumps({"error": {"code": code, "message": "lab fault"}}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{code} {HTTPStatus(code).phrase}", headers)
    return [body]
