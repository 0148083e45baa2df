"""Judging a create's fields by the contract's rules and the guest's dialect. Pure.

The rules stand in ``host_scripts/contracts/fields.json``; every wrong field is reported, not the first one alone.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aetherv_agent import contracts
from aetherv_agent.contracts import FieldRule
from aetherv_agent.core.dialects import Dialect, default_dialect
from aetherv_agent.core.errors import Violation
from aetherv_agent.core.model import OsFamily, VmSecrets, VmSpec
from aetherv_agent.core.os_family import os_family_of


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001  # the API's own word
    """Something the user should know and that is no failure."""

    reason: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A create's fields after the check.

    Attributes:
        spec: the effective spec: family known, fields that can't reach the guest dropped.
        dropped_secrets: secrets that the family has no use for.
    """

    spec: VmSpec
    violations: tuple[Violation, ...]
    warnings: tuple[Warning, ...]
    dropped_secrets: frozenset[str] = frozenset()


def check_create(
    spec: VmSpec, secrets: VmSecrets | None, dialects: Mapping[OsFamily, Dialect] | None = None
) -> Checked:
    """Judge what a user asks of a new VM.

    Args:
        spec: the fields.
        secrets: the secrets; None where they are not at hand (validate_only): then they are not judged.
        dialects: the host's guest dialects by family; the field's present one where a family is missing.

    Returns:
        The effective spec with all violations (paths such as ``vm.vlan_id``, ``secrets.guest_la_pw``) and warnings.
    """
    rules = contracts.field_rules()
    given = spec.fields() | (secrets.given() if secrets else {})
    violations: list[Violation] = []
    warnings: list[Warning] = []
    family = spec.os_family or os_family_of(spec.image_name)
    if family is None and spec.image_name:
        violations.append(
            Violation(
                "vm.os_family", f"the image's name {spec.image_name!r} tells no family: set linux or windows"
            )
        )
    dropped: set[str] = set()
    for rule in rules.fields:
        if rule.name not in given:
            if rule.required and not (rule.secret and secrets is None):
                violations.append(Violation(_path(rule), f"is needed to create a VM: {rule.rule}"))
            continue
        if family is not None and family.value not in rule.families:
            if rule.elsewhere == "dropped":
                dropped.add(rule.name)
                warnings.append(
                    Warning("FIELD_DROPPED", _path(rule), f"is not used for a {family.value.title()} guest")
                )
            else:
                violations.append(Violation(_path(rule), f"can't be used for a {family.value.title()} guest"))
            continue
        violations += [Violation(_path(rule), text) for text in field_refusals(rule, given[rule.name])]
    kept = {name: value for name, value in given.items() if name not in dropped}
    violations += _sets(kept, secrets_known=secrets is not None)
    if family is not None:
        dialect = (dialects or {}).get(family) or default_dialect(family)
        violations += _dialect_violations(kept, dialect, already={v.field for v in violations})
        if dialect.warn_static_without_dns and "guest_v4_ipaddr" in kept and "guest_v4_dns2" not in kept:
            warnings.append(
                Warning("STATIC_WITHOUT_DNS", "vm.guest_v4_dns1", dialect.warn_static_without_dns)
            )
        if family is OsFamily.LINUX:
            warnings += _unapplied_dns(kept)
    cleared: dict[str, Any] = {name: "" for name in dropped if name in VmSpec.__slots__}
    effective = replace(spec, os_family=family, **cleared)
    return Checked(effective, tuple(violations), tuple(warnings), frozenset(dropped))


def _unapplied_dns(given: Mapping[str, Any]) -> Iterator[Warning]:
    static, server = "guest_v4_ipaddr" in given, "guest_v4_dns1" in given
    if server and not static:
        yield Warning(
            "DNS_WITHOUT_STATIC",
            "vm.guest_v4_dns1",
            "this guest applies DNS servers only with a static address",
        )
    if "guest_net_dnssuffix" in given and not (static and server):
        yield Warning(
            "DNS_WITHOUT_STATIC",
            "vm.guest_net_dnssuffix",
            "this guest applies a DNS suffix only with a static address and a DNS server",
        )


def field_refusals(rule: FieldRule, value: Any) -> Iterator[str]:
    """Yield what is wrong with one field's value by its own rule alone, for people.

    Args:
        rule: the contract's rule.
        value: the value; a secret's is never part of the text.
    """
    if rule.type in {"integer", "number"}:
        low = -math.inf if rule.minimum is None else rule.minimum
        high = math.inf if rule.maximum is None else rule.maximum
        if not low <= value <= high or (rule.whole and value != int(value)):
            yield f"must be {rule.rule}"
        return
    if rule.type != "string":
        return
    text = str(value)
    everywhere = contracts.field_rules()
    if rule.name not in everywhere.every_string_except and re.search(everywhere.every_string_forbidden, text):
        yield f"must be {everywhere.every_string_rule}"
        return
    if any("\ud800" <= character <= "\udfff" for character in text):
        yield "must be valid Unicode: it holds half of a surrogate pair"
        return
    if rule.max_length is not None and len(text) > rule.max_length:
        yield f"is too long: at most {rule.max_length} characters"
    elif (
        (rule.format == "ipv4" and not _is_ipv4(text))
        or (rule.pattern is not None and re.search(rule.pattern, text) is None)
        or (rule.forbidden_pattern is not None and re.search(rule.forbidden_pattern, text))
    ):
        yield f"must be {rule.rule}"


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _sets(given: Mapping[str, Any], *, secrets_known: bool) -> Iterator[Violation]:
    rules = contracts.field_rules()
    for rule in rules.sets:
        if rule.field is not None:
            if rule.field in given and not all(name in given for name in rule.needs):
                yield Violation(_path(rules.named(rule.field)), rule.rule)
            continue
        members = [name for name in rule.all_or_none if secrets_known or not rules.named(name).secret]
        present = [name for name in (*members, *rule.with_) if name in given]
        missing = [name for name in members if name not in given]
        if present and missing:
            for name in missing:
                yield Violation(_path(rules.named(name)), f"is missing: {rule.rule}")


def _dialect_violations(given: Mapping[str, Any], dialect: Dialect, already: set[str]) -> Iterator[Violation]:
    rules = contracts.field_rules()
    for rule in rules.fields:
        if rule.kvp is None or rule.name not in given or _path(rule) in already:
            continue
        for text in dialect.refusals(rule.name, str(given[rule.name])):
            yield Violation(_path(rule), text)
    if "guest_domain_jointarget" in given:
        for name in dialect.required_with_domain:
            if name not in given:
                yield Violation(
                    f"vm.{name}", "is needed: this guest skips a domain join without it in silence"
                )


def _path(rule: FieldRule) -> str:
    return f"secrets.{rule.name}" if rule.secret else f"vm.{rule.name}"
