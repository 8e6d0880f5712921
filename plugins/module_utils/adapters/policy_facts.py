# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy's rules match on, read in few requests, and nothing that no rule asks for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..domain.errors import ApiUnavailable, RecoveryError
from ..domain.nova import Instance
from ..domain.policy.matching import Facts, Subject, matches
from ..domain.policy.policy import Policy
from .aggregate_lock import NAME_PREFIX
from .flavor_choice import Flavors
from .image_choice import choose_image
from .instance_images import InstanceImages
from .openstack_connection import CloudConnection, cloud_errors, none_if_missing


class OpenStackPolicyFacts:
    """Implements PolicyFacts.

    Aggregates cost one request, projects one or two for each name that the policy has. Images, and
    volumes of volume-backed instances, are only read for instances on which a rule depends that
    matches on image properties. Flavors and images that a rule gives are looked up for ``reshapes``.
    """

    def __init__(
        self, connection: CloudConnection, images: InstanceImages, flavors: Flavors
    ) -> None:
        self._connection = connection
        self._flavors = flavors
        self._images = images
        # A policy's facts are read for the plan and again under the lock: these do not change.
        self._projects: dict[str, frozenset[str]] = {}
        self._shapes: dict[tuple[str, str], str | None] = {}

    def policy_facts(
        self, policy: Policy, instances: Iterable[Instance], *, reshapes: bool = False
    ) -> Facts:
        instances = list(instances)
        subjects = {instance.id: Subject.of(instance) for instance in instances}
        notes: list[str] = []
        if instances and "aggregates" in policy.needs:
            by_host, known = self._aggregates()
            notes += _unknown("aggregate", _named(policy, "aggregates") - known)
            for instance in instances:
                aggregates = by_host.get(instance.host or "", frozenset())
                subjects[instance.id] = replace(subjects[instance.id], aggregates=aggregates)
        if instances and "projects" in policy.needs:
            ids = {word: self._project_ids(word) for word in _named(policy, "projects")}
            notes += _unknown("project", (word for word, found in ids.items() if not found))
            # One that is named by its id matches by that.
            names = {i: word for word, found in ids.items() for i in found if i != word}
            for instance in instances:
                name = names.get(instance.project_id)
                subjects[instance.id] = replace(subjects[instance.id], project_name=name)
        self._add_images(policy, instances, subjects)
        if instances and reshapes:
            notes += self._impossible_shapes(policy)
        return Facts(subjects=subjects, notes=tuple(notes))

    def _aggregates(self) -> tuple[dict[str, frozenset[str]], set[str]]:
        """Names of the aggregates of each host, and of all."""
        with cloud_errors("list the host aggregates"):
            found = [
                (aggregate.name, aggregate.hosts or ())
                for aggregate in self._connection.sdk.compute.aggregates()
                if not aggregate.name.startswith(NAME_PREFIX)
            ]
        by_host: dict[str, set[str]] = {}
        for name, hosts in found:
            for host in hosts:
                by_host.setdefault(host, set()).add(name)
        return {h: frozenset(names) for h, names in by_host.items()}, {
            name for name, hosts in found
        }

    def _project_ids(self, word: str) -> frozenset[str]:
        """Ids of the projects of this name, of whatever domain, or of the one with this id."""
        if word not in self._projects:
            identity = self._connection.sdk.identity
            with cloud_errors(f"look up the project '{word}', which the policy names"):
                found = list(identity.projects(name=word))
                if not found and (one := none_if_missing(lambda: identity.get_project(word))):
                    found = [one]
            self._projects[word] = frozenset(project.id for project in found)
        return self._projects[word]

    def _impossible_shapes(self, policy: Policy) -> list[str]:
        """What instances are to become, and cannot: it should show before they are moved."""
        notes = []
        choose_an_image = functools.partial(choose_image, self._connection)
        choices: tuple[tuple[str, Callable[[str], object]], ...] = (
            ("image", choose_an_image),
            ("flavor", self._flavors.choose),
        )
        for kind, choose in choices:
            shapes = (rule.reshape for rule in policy.rules if rule.reshape)
            for name in sorted({wanted for shape in shapes if (wanted := getattr(shape, kind))}):
                if (kind, name) not in self._shapes:
                    self._shapes[kind, name] = _why_not(choose, name)
                if code := self._shapes[kind, name]:
                    notes.append(f"the policy's reshape to the {kind} '{name}' will fail: {code}")
        return notes

    def _add_images(
        self, policy: Policy, instances: Iterable[Instance], subjects: dict[str, Subject]
    ) -> None:
        concerned = [i for i in instances if _depends_on_image(policy, subjects[i.id])]
        properties = self._images.properties_of(concerned)
        for instance in concerned:
            subject = subjects[instance.id]
            if found := properties[instance.id]:
                subjects[instance.id] = replace(subject, image_properties=_texts(found))
                continue
            note = (
                f"its image {instance.image_id} does not exist any more"
                if instance.image_id
                else "its boot volume is not known, or was not made from an image"
            )
            notes = (*subject.notes, f"{note}: no rule with image_properties matches it")
            subjects[instance.id] = replace(subject, notes=notes)


def _why_not(choose: Callable[[str], object], name: str) -> str | None:
    try:
        choose(name)
    except ApiUnavailable:
        raise
    except RecoveryError as error:
        return error.code
    return None


def _depends_on_image(policy: Policy, subject: Subject) -> bool:
    """Whether some rule that matches on image properties matches, as far as is known."""
    return any(
        rule.match.image_properties and matches(replace(rule.match, image_properties={}), subject)
        for rule in policy.rules
    )


def _named(policy: Policy, field: str) -> set[str]:
    return set().union(*(getattr(rule.match, field) for rule in policy.rules))


def _unknown(kind: str, names: Iterable[str]) -> list[str]:
    return [f"the policy names the {kind} '{name}', which does not exist" for name in sorted(names)]


def _texts(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(key): value for key, value in found.items() if isinstance(value, str)}
