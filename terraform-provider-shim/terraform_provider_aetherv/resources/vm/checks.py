"""Judging a configuration of ``aetherv_vm``: attribute by attribute in validate, and as a whole in the plan of a create.

What spans attributes is judged in plan alone: validate does not know ``ignore_changes``. Unknown never fails. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Final

from terraform_provider_aetherv.cty.values import UNKNOWN
from terraform_provider_aetherv.plugin.messages import Diagnostic, State, error, warning
from terraform_provider_aetherv.resources.vm import contract
from terraform_provider_aetherv.resources.vm.schema import (
    FAILURE_POLICIES,
    IP_WAITS,
    SECRETS,
    SHUTDOWN_MODES,
    TIMEOUTS,
    VERSION_OF,
    WRITE_ONLY_OF,
)
from terraform_provider_aetherv.schema.validators import (
    Validator,
    between,
    duration,
    ipv4,
    lacks,
    length,
    matches,
    multiple_of,
    one_of,
    problem,
)

# Hyper-V's own limits; the contract's narrower ones are for a VM that is made here.
_NAME_LENGTH: Final = 100
_MEMORY_UNIT: Final = Decimal(2) / 1024
_CREATE_ONLY: Final = ("vm_name", "gb_ram")
_REQUIRED: Final = ("vm_name", "gb_ram", "cpu_cores")


@cache
def field_validators(name: str) -> tuple[Validator, ...]:
    """Give the contract's rules for one field."""
    field = contract.BY_NAME[name]
    if field.type in {"integer", "number"}:
        if field.min is None or field.max is None:
            return ()
        return (between(field.min, field.max, field.rule),)
    if field.type == "enum":
        return (one_of(field.values),)
    if field.type != "string":
        return ()
    rules: list[Validator] = []
    if field.name not in contract.EVERY_STRING_EXCEPT:
        rules.append(lacks(contract.EVERY_STRING_FORBIDDEN, contract.EVERY_STRING_RULE))
    if field.max_length is not None:
        rules.append(length(field.min_length, field.max_length))
    if field.format == "ipv4":
        rules.append(ipv4(field.rule))
    if field.pattern:
        rules.append(matches(field.pattern, field.rule))
    if field.forbidden_pattern:
        rules.append(lacks(field.forbidden_pattern, field.rule))
    return tuple(rules)


@cache
def _validators() -> dict[str, tuple[Validator, ...]]:
    rules = {f.name: field_validators(f.name) for f in contract.FIELDS if f.name not in _CREATE_ONLY}
    for secret, write_only in WRITE_ONLY_OF.items():
        rules[write_only] = rules[secret]
    return rules | {
        "vm_name": (length(1, _NAME_LENGTH), lacks(r"[\x00-\x1f\x7f]", "one line")),
        "gb_ram": (multiple_of(_MEMORY_UNIT, "a positive number of GiB in steps of 2 MB"),),
        "shutdown_mode": (one_of(SHUTDOWN_MODES),),
        "wait_for_ip": (one_of(IP_WAITS),),
        "on_failure": (one_of(FAILURE_POLICIES),),
        "target_host": (length(1, 253),),
        **{version: (between(0, 2**53, "a whole number"),) for version in VERSION_OF.values()},
    }


def validate(config: State) -> Iterator[Diagnostic]:
    """Judge a configuration attribute by attribute."""
    for name in _REQUIRED:
        if config[name] is None:
            yield error(f"{name} is missing", f"{name} is required, and its value is null.", (name,))
    for name, validators in _validators().items():
        text = problem(config[name], validators)
        if text is not None:
            yield error(f"Invalid {name}", f"{name} {text}.", (name,))
    yield from _timeouts(config)
    yield from _secrets(config)


def _timeouts(config: State) -> Iterator[Diagnostic]:
    timeouts = config["timeouts"]
    if timeouts is None or timeouts is UNKNOWN:
        return
    for name in TIMEOUTS:
        text = problem(timeouts[name], (duration,))
        if text is not None:
            yield error(f"Invalid timeouts.{name}", f"timeouts.{name} {text}.", ("timeouts", name))


def _secrets(config: State) -> Iterator[Diagnostic]:
    for secret, write_only in WRITE_ONLY_OF.items():
        version = VERSION_OF[secret]
        certain = config[write_only] is not None and config[write_only] is not UNKNOWN
        if certain and config[secret] is not None and config[secret] is not UNKNOWN:
            yield error(
                f"{secret} is given twice", f"Set either {secret} or {write_only}, not both.", (write_only,)
            )
        if certain and config[version] is None:
            yield error(
                f"{version} is missing",
                f"{write_only} is never stored, so that only {version} can tell that it changed. Set {version} = 1.",
                (version,),
            )


def check_create(planned: State, config: State) -> Iterator[Diagnostic]:
    """Judge what spans attributes, and what holds for a new VM alone.

    Args:
        planned: the VM as planned: defaults filled in, family known where it can be.
        config: for the secrets, which a plan does not hold.
    """
    for name in _CREATE_ONLY:
        text = problem(planned[name], field_validators(name))
        if text is not None:
            yield error(f"Invalid {name}", f"{name} {text}.", (name,))
    for name in ("image_name", "guest_la_uid"):
        if planned[name] is None:
            yield error(f"{name} is missing", f"{name} is needed to create a VM.", (name,))
    if config["guest_la_pw"] is None and config["guest_la_pw_wo"] is None:
        yield error(
            "guest_la_pw_wo is missing",
            "A password for guest_la_uid is needed to create a VM: set guest_la_pw_wo and guest_la_pw_wo_version "
            "(never stored), or guest_la_pw.",
            ("guest_la_pw_wo",),
        )
    if planned["power_state"] == "off" and planned["wait_for_guest"] is False:
        yield error(
            "power_state = off needs wait_for_guest",
            "A VM that shall be off is customised first and then shut down, so its create has to wait for the guest.",
            ("power_state",),
        )
    yield from stored_secrets(config, SECRETS)
    family = planned["os_family"]
    certain, possible = given_fields(planned, config)
    if family is None:
        image = planned["image_name"]
        if image is not None:
            yield error(
                "os_family is missing",
                f"The image's name {image!r} does not begin like one of a known system. Set os_family to linux or "
                "windows.",
                ("os_family",),
            )
        return
    if family in contract.OS_FAMILIES:
        yield from _family(certain, config, family)
        certain = [name for name in certain if family in (contract.BY_NAME[name].families or (family,))]
        yield from _secret_characters(config, family)
    yield from _sets(certain, possible, config, family)


def given_fields(planned: State, config: State) -> tuple[list[str], list[str]]:
    """Name the contract's fields that are set for certain, and those that may be: an unknown one can still become null.

    A secret counts in either of its ways.
    """
    values = {
        field.name: secret_value(config, field.name) if field.secret else planned[field.name]
        for field in contract.FIELDS
    }
    possible = [name for name, value in values.items() if value is not None]
    return [name for name in possible if values[name] is not UNKNOWN], possible


def secret_value(config: State, name: str) -> object:
    """Give a secret as configured, in whichever way; None if it is not."""
    write_only = config[WRITE_ONLY_OF[name]]
    return config[name] if write_only is None else write_only


def attribute_of(config: State | None, field: str) -> str:
    """Give the attribute by which a field was set: a secret's may be the write-only one."""
    if field in WRITE_ONLY_OF and (config is None or config[field] is None):
        return WRITE_ONLY_OF[field]
    return field


def dropped_fields(planned: State) -> frozenset[str]:
    """Name the fields that the guest's family has no use for; they are not sent to the agent."""
    family = planned["os_family"]
    return frozenset(
        f.name
        for f in contract.FIELDS
        if f.elsewhere == "dropped" and f.families and family not in f.families
    )


def stored_secrets(config: State, names: Iterable[str]) -> Iterator[Diagnostic]:
    """Warn of the passwords among ``names`` that Terraform will write into its state."""
    for name in names:
        if config[name] is not None:
            yield warning(
                f"{name} is stored in Terraform's state",
                f"Whoever can read the state can read it. {WRITE_ONLY_OF[name]} (Terraform 1.11 and later) is never "
                "stored.",
                (name,),
            )


def _family(given: list[str], config: State, family: str) -> Iterator[Diagnostic]:
    for field in (contract.BY_NAME[name] for name in given):
        if not field.families or family in field.families:
            continue
        name = attribute_of(config, field.name)
        if field.elsewhere == "refused":
            yield error(
                f"{name} can't be used for a {family.title()} guest",
                f"{name} is for {field.families[0].title()} guests alone. Remove it, or set os_family.",
                (name,),
            )
        else:
            yield warning(
                f"{name} is not used for a {family.title()} guest",
                f"{name} reaches {field.families[0].title()} guests alone and is dropped.",
                (name,),
            )


def _sets(certain: list[str], possible: list[str], config: State, family: object) -> Iterator[Diagnostic]:
    for fields in contract.SETS:
        present = [name for name in (*fields.members, *fields.extra) if name in certain]
        missing = [name for name in fields.members if name not in possible]
        if present:
            for name in missing:
                attribute = attribute_of(None, name)
                yield error(
                    f"{attribute} is missing",
                    f"{', '.join(present)} set, {attribute} not: {fields.rule}.",
                    (attribute,),
                )
    if "guest_v4_dns2" in certain and "guest_v4_dns1" not in possible:
        yield error("guest_v4_dns1 is missing", f"{contract.DNS2_RULE}.", ("guest_v4_dns2",))
    if "guest_domain_jointarget" in certain and isinstance(family, str):
        for name in contract.REQUIRED_WITH_DOMAIN[family]:
            if name not in possible:
                yield error(
                    f"{name} is missing",
                    f"{name} is needed to join a domain: this guest skips the join without it in silence.",
                    (attribute_of(config, name),),
                )


def _secret_characters(config: State, family: str) -> Iterator[Diagnostic]:
    for name in SECRETS:
        value = secret_value(config, name)
        if not isinstance(value, str):
            continue
        attribute = attribute_of(config, name)
        validators = [
            lacks(rule.forbidden_pattern, rule.rule)
            for rule in contract.SECRET_RULES[family]
            if name in rule.fields or "*" in rule.fields
        ]
        text = problem(value, validators)
        limit = contract.SECRET_BYTES[family]
        if text is None and limit is not None and len(value.encode()) > limit:
            text = f"is too long: at most {limit} bytes of UTF-8 reach this guest"
        if text is not None:
            text = text.replace("must be this guest", "can't be used: this guest")
            yield error(f"Invalid {attribute}", f"{attribute} {text}.", (attribute,))
