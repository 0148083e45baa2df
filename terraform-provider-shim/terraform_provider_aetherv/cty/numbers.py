"""Numbers, exact both ways: ``int`` for whole ones, ``Decimal`` for the rest."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from typing import Final

from terraform_provider_aetherv.cty.path import CtyError, Path

# Terraform's numbers have 512 bits (154 digits). The limit lies far above and below what costs time to print.
MAX_DIGITS: Final = 4000
_EXACT: Final = Context(prec=MAX_DIGITS + 1)
_INT64: Final = range(-(2**63), 2**63)


def _checked(number: Decimal, path: Path) -> Decimal:
    if not number.is_finite():
        raise CtyError("an infinite number, or none at all", path)
    exponent = number.as_tuple().exponent
    if abs(number.adjusted()) > MAX_DIGITS or (isinstance(exponent, int) and abs(exponent) > MAX_DIGITS):
        raise CtyError(f"a number of more than {MAX_DIGITS} digits", path)
    return number


def from_text(text: str, path: Path) -> int | Decimal:
    """Read a number in decimal notation.

    Raises:
        CtyError: it is not one, not finite, or has too many digits.
    """
    if len(text) > 2 * MAX_DIGITS:
        raise CtyError(f"a number of more than {MAX_DIGITS} digits", path)
    # Decimal takes underscores and other scripts' digits; Terraform writes neither.
    if "_" in text or not text.isascii() or text != text.strip():
        raise CtyError("not a number", path)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise CtyError("not a number", path) from error
    return simplest(number, path)


def simplest(number: Decimal | float, path: Path) -> int | Decimal:
    """Give the ``int`` that a number equals, or the exact ``Decimal``.

    Raises:
        CtyError: it is not finite or has too many digits.
    """
    exact = _checked(Decimal(number), path)
    whole = exact.to_integral_value(context=_EXACT)
    return int(whole) if whole == exact else exact


def to_wire(number: float | Decimal, path: Path) -> int | float | str:
    """Choose the encoding that keeps a number exact: integer, double, or decimal text.

    Args:
        number: a ``float`` counts as the decimal number that Python prints for it.
        path: where it stands, for the error.

    Raises:
        CtyError: it is not finite or has too many digits.
    """
    if isinstance(number, float):
        number = Decimal(repr(number))
    if isinstance(number, Decimal):
        number = simplest(number, path)
    if isinstance(number, int):
        if number in _INT64:
            return number
        if number.bit_length() > MAX_DIGITS * 3:
            raise CtyError("a number of too many digits", path)
        return str(number)
    double = float(number)
    return double if Decimal(double) == number else format(number, "f")
