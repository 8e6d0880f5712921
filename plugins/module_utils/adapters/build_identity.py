# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose token an instance is built with: the operator's, or one scoped to the instance's project."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from ..domain.errors import RecoveryError
from ..domain.never_booted.build_context import BuildIdentity
from .openstack_connection import CloudConnection, RecoverySession, cloud_errors

# Whoever has a connection has them.
with suppress(ImportError):
    from keystoneauth1 import exceptions as ks_exceptions
    from openstack import exceptions as sdk_exceptions


class BuildIdentities:
    """Identities by user and project. Logs in once for each project.

    :param project_token: take tokens that are scoped to the instances' projects. The user needs a
        role in each of them.
    :param lifetime: seconds that a token must be valid for at least, from when it is handed out:
        the build must end before the token does.
    """

    def __init__(
        self, connection: CloudConnection, *, project_token: bool = False, lifetime: int = 600
    ) -> None:
        self._connection = connection
        self._project_token = project_token
        self._lifetime = lifetime
        self._sessions: dict[str, RecoverySession] = {}
        self._names: dict[tuple[str, str], tuple[str | None, str | None]] = {}

    def identity(self, user_id: str, project_id: str) -> BuildIdentity:
        """For an instance of this user and project.

        :raises RecoveryError: ``no_role_in_project``, ``token_too_short``, and those of a login.
        """
        with cloud_errors("get a token for the build"):
            session = self._session(project_id)
            access = self._access(session, project_id)
        user_name, user_domain = self._named("users", user_id)
        project_name, project_domain = self._named("projects", project_id)
        return BuildIdentity(
            auth_token=access.auth_token,
            catalog=access.service_catalog.catalog if access.has_service_catalog() else (),
            roles=tuple(access.role_names),
            is_admin=not self._project_token,
            user_name=user_name,
            user_domain_id=user_domain,
            project_name=project_name,
            project_domain_id=project_domain,
        )

    def _session(self, project_id: str) -> RecoverySession:
        if not self._project_token:
            return self._connection.session
        if project_id not in self._sessions:
            scoped = self._connection.sdk.connect_as(project_id=project_id)
            session = cast(RecoverySession, scoped.config.get_session())
            try:
                session.get_token()
            except (ks_exceptions.Unauthorized, ks_exceptions.Forbidden) as error:
                raise RecoveryError(
                    "no_role_in_project",
                    f"these credentials get no token for project {project_id}: give the user the"
                    " role member (or the one that creates instances there) in that project, or"
                    " leave out project_token. Application credentials are bound to one project",
                    details={"project": project_id},
                    request_id=getattr(error, "request_id", None),
                ) from error
            self._sessions[project_id] = session
        return self._sessions[project_id]

    def _access(self, session: RecoverySession, project_id: str) -> Any:
        """What Keystone said at the login; a new login when the token ends too soon."""
        access = self._read_access(session)
        if self._left(session, access) < self._lifetime:
            session.invalidate()
            access = self._read_access(session)
        left = self._left(session, access)
        if left < self._lifetime:
            raise RecoveryError(
                "token_too_short",
                f"the token ends in {max(int(left), 0)} seconds, but must last for"
                f" {self._lifetime}, as long as a build can take: log in with a password or an"
                " application credential instead of a token, or raise [token]expiration of Keystone",
                details={"seconds_left": int(left), "needed": self._lifetime},
            )
        if self._project_token and access.project_id != project_id:
            raise RecoveryError(
                "no_role_in_project",
                f"a token for project {project_id} was asked for, but these credentials are bound to"
                f" project {access.project_id}: use a user with a password and the role member"
                " there, or leave out project_token",
                details={"project": project_id, "token_project": access.project_id},
            )
        return access

    @staticmethod
    def _read_access(session: RecoverySession) -> Any:
        read = getattr(session.auth, "get_access", None)
        if read is None:
            # auth_type none or admin_token: there is nobody in whose name to build.
            raise RecoveryError(
                "no_identity",
                "this auth_type logs in without Keystone: a build needs a token with a catalog. Use"
                " a password or an application credential",
            )
        return read(session)

    @staticmethod
    def _left(session: RecoverySession, access: Any) -> float:
        """Seconds by the cloud's clock; a token without an end lasts."""
        if access.expires is None:
            return float("inf")
        return float((access.expires - session.api_time()).total_seconds())

    def _named(self, kind: str, its_id: str) -> tuple[str | None, str | None]:
        """Name and domain, for people; None when these credentials may not read them."""
        key = (kind, its_id)
        if key not in self._names:
            self._names[key] = self._read_name(kind, its_id)
        return self._names[key]

    def _read_name(self, kind: str, its_id: str) -> tuple[str | None, str | None]:
        with cloud_errors(f"read the name of {kind} {its_id}"):
            try:
                answer = self._connection.read(self._connection.sdk.identity, f"/{kind}/{its_id}")
            except (sdk_exceptions.ForbiddenException, sdk_exceptions.NotFoundException):
                return None, None
        found = answer[kind.removesuffix("s")]
        return found.get("name"), found.get("domain_id")
