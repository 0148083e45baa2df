"""Who may call what: one table from method to permission, denied by default. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """What a call needs."""

    OPEN = "open"
    """Nothing, not even a token."""
    VIEW = "view"
    PLAN = "plan"
    CHANGE = "change"
    ADMIN = "admin"


class Role(StrEnum):
    """What a principal is."""

    VIEWER = "viewer"
    PLANNER = "planner"
    OPERATOR = "operator"
    ADMIN = "admin"


GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.VIEW}),
        Role.PLANNER: frozenset({Permission.VIEW, Permission.PLAN}),
        Role.OPERATOR: frozenset({Permission.VIEW, Permission.PLAN, Permission.CHANGE}),
        Role.ADMIN: frozenset({Permission.VIEW, Permission.PLAN, Permission.CHANGE, Permission.ADMIN}),
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a method needs.

    Attributes:
        permission: what a call needs.
        validate_only: what a call needs whose request says ``validate_only``; None: the same.
    """

    permission: Permission
    validate_only: Permission | None = None

    def needed(self, *, validate_only: bool) -> Permission:
        """Return what one call needs."""
        return self.validate_only if validate_only and self.validate_only else self.permission


_VIEW = Rule(Permission.VIEW)
_OPEN = Rule(Permission.OPEN)
_CHANGE = Rule(Permission.CHANGE)
_ADMIN = Rule(Permission.ADMIN)
_CHANGE_OR_PLAN = Rule(Permission.CHANGE, Permission.PLAN)

METHODS: Mapping[str, Rule] = MappingProxyType(
    {
        "/aetherv.v1.VmService/CreateVm": _CHANGE_OR_PLAN,
        "/aetherv.v1.VmService/ReadVm": _VIEW,
        "/aetherv.v1.VmService/DeleteVm": _CHANGE_OR_PLAN,
        "/aetherv.v1.VmService/ListVms": _VIEW,
        "/aetherv.v1.HostService/ReadHost": _VIEW,
        "/aetherv.v1.HostService/ListHosts": _VIEW,
        "/aetherv.v1.HostService/CheckHost": _VIEW,
        "/aetherv.v1.HostService/DeployHostScripts": _ADMIN,
        "/aetherv.v1.OperationService/WatchOperation": _VIEW,
        "/google.longrunning.Operations/ListOperations": _VIEW,
        "/google.longrunning.Operations/GetOperation": _VIEW,
        "/google.longrunning.Operations/WaitOperation": _VIEW,
        "/google.longrunning.Operations/CancelOperation": _CHANGE,
        "/google.longrunning.Operations/DeleteOperation": _CHANGE,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": _VIEW,
        "/grpc.health.v1.Health/Check": _OPEN,
        "/grpc.health.v1.Health/Watch": _OPEN,
        "/grpc.health.v1.Health/List": _OPEN,
    }
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Attributes:
        name: for logs and operations.
        role: what it may do; None: nothing but what is open.
        hosts: the hosts it may see and use; None: all.
    """

    name: str
    role: Role | None
    hosts: frozenset[str] | None = None

    def may(self, permission: Permission) -> bool:
        """Return whether it has a permission."""
        return permission is Permission.OPEN or (self.role is not None and permission in GRANTS[self.role])

    def may_use(self, host: str) -> bool:
        """Return whether it may see and use a host."""
        return self.hosts is None or host in self.hosts


NOBODY = Principal("anonymous", None, frozenset())
"""Who calls what is open."""
