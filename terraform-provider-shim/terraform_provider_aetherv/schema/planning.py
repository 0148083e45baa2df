"""How a planned object comes about from prior state and configuration, attribute by attribute. Pure.

What Terraform allows (reference: terraform-plugin, behaviour 3 and 4): a configured attribute is planned as
configured, or as the prior value if both are known and not null; a computed one that is not configured as
anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from terraform_provider_aetherv.cty.values import UNKNOWN, Value
from terraform_provider_aetherv.schema.equality import Same
from terraform_provider_aetherv.schema.model import Attribute


def create_value(attribute: Attribute, config: Value) -> Value:
    """Give an attribute's planned value in a create: configuration, default, or unknown if it is computed."""
    if attribute.write_only:
        return None
    if config is not None:
        return config
    if attribute.has_default:
        return attribute.default
    return UNKNOWN if attribute.computed else None


def update_value(attribute: Attribute, prior: Value, config: Value, same: Same | None = None) -> Value:
    """Give an attribute's planned value for an object that exists.

    Args:
        attribute: its schema.
        prior: its value in the state.
        config: its value in the configuration.
        same: tells when the two mean the same; then the prior one stays.
    """
    if attribute.write_only:
        return None
    if config is None:
        if attribute.has_default:
            return attribute.default
        return prior if attribute.computed else None
    if same is not None and prior is not None and config is not UNKNOWN and same(prior, config):
        return prior
    return config


def changed(prior: Value, planned: Value) -> bool:
    """Tell whether a planned value differs from the prior one, or may: an unknown one does."""
    if planned is UNKNOWN:
        return True
    return bool(prior != planned) or isinstance(prior, bool) != isinstance(planned, bool)


def any_unknown(values: Mapping[str, Value], names: Iterable[str]) -> bool:
    """Tell whether one of some attributes is unknown."""
    return any(values[name] is UNKNOWN for name in names)
