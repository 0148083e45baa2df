"""When two texts mean the same: then a plan keeps the prior one, so that nothing flaps. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

Same = Callable[[object, object], bool]


def same_text(left: object, right: object) -> bool:
    """Tell whether two texts differ in nothing but upper and lower case."""
    return isinstance(left, str) and isinstance(right, str) and left.casefold() == right.casefold()


def same_host(left: object, right: object) -> bool:
    """Tell whether two host names mean one host: by case, a dot at the end, or a short name against its FQDN.

    Two full names must agree in their domain; an IP address is only the same as itself.
    """
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    first, second = left.casefold().rstrip("."), right.casefold().rstrip(".")
    if first == second:
        return True
    if _address(first) is not None or _address(second) is not None:
        return same_address(first, second)
    short_first, _, domain_first = first.partition(".")
    short_second, _, domain_second = second.partition(".")
    return bool(short_first) and short_first == short_second and not (domain_first and domain_second)


def same_address(left: object, right: object) -> bool:
    """Tell whether two texts are the same IP address, such as ``2001:db8::1`` and ``2001:0DB8:0:0::1``."""
    first = _address(left)
    return first is not None and first == _address(right)


def same_ssh_key(left: object, right: object) -> bool:
    """Tell whether two public keys differ in nothing but their comment (RFC 4253: type and key alone count)."""
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    first, second = left.split(), right.split()
    return len(first) > 1 and first[:2] == second[:2]


def _address(value: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if not isinstance(value, str):
        return None
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None
