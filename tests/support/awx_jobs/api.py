# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's API as awx.awx uses: it keeps what it is given, on the loopback only.

Like AWX it wants a token, refuses two objects of one name, shows no secret, and links only what is there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from json_server import Request, serving

TOKEN = "the-token"
# Kinds of objects, and what they are called one by one.
KINDS = {
    "organizations": "organization",
    "execution_environments": "execution_environment",
    "projects": "project",
    "inventories": "inventory",
    "hosts": "host",
    "credential_types": "credential_type",
    "credentials": "credential",
    "notification_templates": "notification_template",
    "job_templates": "job_template",
    "workflow_job_templates": "workflow_job_template",
    "workflow_job_template_nodes": "workflow_job_template_node",
    "workflow_approval_templates": "workflow_approval_template",
    "schedules": "schedule",
}
UNIFIED = ("projects", "job_templates", "workflow_job_templates")
_PREFIX = "/api/v2/"

Object = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Awx:
    """Its objects, by kind and id."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Object]] = {kind: {} for kind in KINDS}
        self.surveys: dict[int, Object] = {}
        self.links: dict[tuple[int, str], list[int]] = {}
        self.changes: list[str] = []
        self._ids = iter(range(1, 10**6))

    def serving(self) -> AbstractContextManager[str]:
        """Its address."""
        return serving(TOKEN, self._answer)

    def _answer(self, request: Request) -> tuple[int, Any]:
        try:
            told = self._told(request.method, request.path, request.query, request.body or {})
        except Refused as error:
            return error.status, {"detail": str(error)}
        made = request.method == "POST" and told is not None and "id" in told
        return (201 if made else 200 if told is not None else 204), told

    def _told(self, method: str, path: str, query: dict[str, str], body: Object) -> Any:
        """Body of the response, or None for an empty one.

        :raises Refused: as AWX refuses.
        """
        kind, *rest = path.removeprefix(_PREFIX).strip("/").split("/")
        if method != "GET":
            self.changes.append(f"{method} {path}")
        if not rest:
            return self._make(kind, body) if method == "POST" else self._list(kind, query)
        found = self.objects.get(kind, {}).get(int(rest[0]))
        if found is None:
            raise Refused(404, f"there is no {path}")
        if len(rest) > 1:
            return self._related(method, found, rest[1], body)
        if method == "PATCH":
            found.update(body)
        return self._shown(found)

    def by_name(self, kind: str) -> dict[str, Object]:
        """Objects of a kind, by name or identifier."""
        return {o.get("name") or o["identifier"]: o for o in self.objects[kind].values()}

    def linked(self, found: Object, link: str) -> list[Object]:
        every = {number: o for kind in self.objects.values() for number, o in kind.items()}
        return [every[number] for number in self.links.get((found["id"], link), [])]

    def _list(self, kind: str, query: dict[str, str]) -> Object:
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        found = [
            self._shown(item)
            for one in kinds
            for item in self.objects[one].values()
            if all(str(item.get(key)) == value for key, value in query.items())
        ]
        return {"count": len(found), "next": None, "results": found}

    def _make(self, kind: str, body: Object) -> Object:
        name = "identifier" if kind == "workflow_job_template_nodes" else "name"
        owner = {"hosts": "inventory", "schedules": "unified_job_template"}.get(
            kind, "workflow_job_template" if name == "identifier" else "organization"
        )
        same = [
            o
            for o in self.objects[kind].values()
            if (o[name], o.get(owner)) == (body[name], body.get(owner))
        ]
        if same:
            raise Refused(400, f"{kind}: {body[name]} exists")
        number = next(self._ids)
        url = f"{_PREFIX}{kind}/{number}/"
        made = {"id": number, "type": KINDS[kind], "url": url, "summary_fields": {}, **body}
        made["related"] = {"survey_spec": f"{url}survey_spec/"}
        if kind == "projects":
            made["scm_revision"] = ""
        self.objects[kind][number] = made
        return self._shown(made)

    def _related(self, method: str, found: Object, link: str, body: Object) -> Any:
        if link == "survey_spec":
            if method == "POST":
                self.surveys[found["id"]] = body
            return self.surveys.get(found["id"], {})
        if link == "create_approval_template":
            made = self._make("workflow_approval_templates", body)
            found["unified_job_template"] = made["id"]
            found["related"]["unified_job_template"] = made["url"]
            return made
        if found["type"] == "workflow_approval_template":
            raise Refused(404, f"an approval has no {link}")
        links = self.links.setdefault((found["id"], link), [])
        if method == "GET":
            return {"next": None, "count": len(links), "results": [{"id": n} for n in links]}
        if body.get("disassociate"):
            links.remove(body["id"])
        else:
            links.append(body["id"])
        return None

    def _shown(self, found: Object) -> Object:
        if found["type"] != "credential" or "inputs" not in found:
            return found
        fields = self.objects["credential_types"][found["credential_type"]]["inputs"]["fields"]
        secret = {field["id"] for field in fields if field.get("secret")}
        shown = {k: "$encrypted$" if k in secret else v for k, v in found["inputs"].items()}
        return {**found, "inputs": shown}
