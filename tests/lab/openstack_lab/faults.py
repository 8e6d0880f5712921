"""Make an API answer every request with an error; the running API looks at the file."""

from __future__ import annotations

import json
import time

from .console import LabError, say
from .ini import write_private
from .programs import apis
from .settings import Settings


def set_fault(settings: Settings, api: str, code: str, seconds: float | None) -> None:
    known = apis(settings)
    if api not in known:
        raise LabError(f"unknown API {api}; known: {', '.join(known)}")
    path = settings.fault_file(api)
    if code == "none":
        path.unlink(missing_ok=True)
        say(f"{api} answers by itself")
        return
    if not (code.isdigit() and 400 <= int(code) <= 599):
        raise LabError(f"a fault is a number from 400 to 599, or none; not {code}")
    until = None if seconds is None else time.time() + seconds
    write_private(path, json.dumps({"code": int(code), "until": until}))
    say(f"{api} answers {code}" + (f" for {seconds:g} s" if seconds is not None else ""))


def active_faults(settings: Settings) -> dict[str, int]:
    found = {}
    for api in apis(settings):
        try:
            fault = json.loads(settings.fault_file(api).read_text())
        except FileNotFoundError:
            continue
        if fault["until"] is None or fault["until"] > time.time():
            found[api] = int(fault["code"])
    return found
