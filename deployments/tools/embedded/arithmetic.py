"""Arithmetic in exact fractions: a Pratt parser (V. Pratt, "Top down operator precedence", 1973) that also computes.

Nothing is evaluated by Python: an expression has numbers, operators and the functions below, and no names else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

MAX_CHARS = 1000
MAX_DEPTH = 50  # of parentheses, functions and signs
MAX_BITS = 4096  # of a numerator and a denominator: some 1200 digits
DIGITS = 50  # of what is no fraction: roots, logarithms, powers

TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d{1,4})?|\.\d+(?:[eE][+-]?\d{1,4})?)|([A-Za-z_]\w*)|(\*\*|//|.))")
# As people type them; the others of Unicode's signs are refused.
SAME = str.maketrans(
    {
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{MIDDLE DOT}": "*",
        "\N{DIVISION SIGN}": "/",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{FULLWIDTH LEFT PARENTHESIS}": "(",
        "\N{FULLWIDTH RIGHT PARENTHESIS}": ")",
        "\N{FULLWIDTH COMMA}": ",",
        "^": "**",
    }
)

SUM, PRODUCT, SIGN, POWER = 10, 20, 30, 40
BINDING = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER}


class ArithmeticFault(ValueError):
    """The expression cannot be computed; the message says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name, an operator, or the end; `at` is its column, from 1."""

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return f"{self.text!r} at {self.at}" if self.text else "the end"


def compute(expression: str) -> Fraction:
    """The value of an expression.

    Numbers, `+ - * / // % **` (a power also as `^`) with Python's precedence and signs, parentheses, and `FUNCTIONS`.

    Raises:
        ArithmeticFault: it is no expression, has no value, or grows beyond the limits.
    """
    if len(expression) > MAX_CHARS:
        raise ArithmeticFault(f"more than {MAX_CHARS} characters")
    return Parser(list(tokens(expression.translate(SAME)))).whole()


def tokens(text: str) -> Iterator[Token]:
    """The tokens, the last of which is the end."""
    for match in TOKEN.finditer(text.rstrip()):
        kind = "number" if match[1] else "name" if match[2] else "operator"
        yield Token(kind, match[match.lastindex or 0], match.start(match.lastindex or 0) + 1)
    yield Token("end", "", len(text) + 1)


class Parser:
    """Reads tokens from the left, and computes as it goes."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Fraction:
        """The value of all tokens."""
        value = self._value(0)
        if self._token.kind != "end":
            raise ArithmeticFault(f"{self._token} is not expected there")
        return value

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._token
        self._next += token.kind != "end"
        return token

    def _value(self, binding: int) -> Fraction:
        """As long as operators bind tighter than `binding`; a power binds from the right."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ArithmeticFault(f"more than {MAX_DEPTH} levels")
        left = self._operand()
        while (own := BINDING.get(self._token.text, 0)) > binding:
            operator = self._take().text
            left = bounded(OPERATORS[operator](left, self._value(own - (operator == "**"))))
        self._depth -= 1
        return left

    def _operand(self) -> Fraction:
        token = self._take()
        if token.kind == "number":
            return bounded(Fraction(token.text))
        if token.kind == "name":
            return self._named(token)
        if token.text in ("+", "-"):
            value = self._value(SIGN)
            return -value if token.text == "-" else value
        if token.text == "(":
            value = self._value(0)
            self._expect(")")
            return value
        raise ArithmeticFault(f"{token} is no number; write numbers, + - * / // % **, ( ) and functions")

    def _named(self, name: Token) -> Fraction:
        if name.text in CONSTANTS:
            return CONSTANTS[name.text]
        if name.text not in FUNCTIONS:
            raise ArithmeticFault(f"{name} is no function; there are {', '.join(sorted(FUNCTIONS))}")
        self._expect("(")
        arguments = [self._value(0)]
        while self._token.text == ",":
            self._take()
            arguments.append(self._value(0))
        self._expect(")")
        return bounded(applied(name.text, arguments))

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.text != text:
            raise ArithmeticFault(f"{text!r} is expected, got {token}")


def bounded(value: Fraction) -> Fraction:
    """The value, if it is of a bearable size."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise ArithmeticFault("a number on the way has more than some 1200 digits")
    return value


def applied(name: str, arguments: list[Fraction]) -> Fraction:
    """A function's value."""
    least, most, function = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}" if most < MANY else f"{least} or more"
        raise ArithmeticFault(f"{name} takes {wanted} arguments, got {len(arguments)}")
    try:
        return function(*arguments)
    except ArithmeticFault:
        raise
    except (ValueError, ArithmeticError):
        raise ArithmeticFault(f"{name} has no value there") from None


def divided(dividend: Fraction, divisor: Fraction) -> Fraction:
    """The exact quotient."""
    return dividend / nonzero(divisor)


def nonzero(divisor: Fraction) -> Fraction:
    """A divisor."""
    if not divisor:
        raise ArithmeticFault("division by zero")
    return divisor


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Exact for a whole exponent, whose result is reckoned before it is computed."""
    if not base and exponent < 0:
        raise ArithmeticFault("division by zero")
    if exponent.denominator != 1:
        return fractional_power(base, exponent)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and bits * abs(exponent) > 2 * MAX_BITS:
        raise ArithmeticFault("a power has more than some 1200 digits")
    return Fraction(base**exponent.numerator) if bits > 1 else unit_power(base, exponent.numerator)


def fractional_power(base: Fraction, exponent: Fraction) -> Fraction:
    """To `DIGITS` digits."""
    if base < 0:
        raise ArithmeticFault("a negative number has no fractional power")
    try:
        return from_decimal(CONTEXT.power(to_decimal(base), to_decimal(exponent)))
    except ArithmeticError:
        raise ArithmeticFault("a power has more than some 1200 digits") from None


def unit_power(base: Fraction, exponent: int) -> Fraction:
    """Of 0, 1 and -1, however large the exponent."""
    return Fraction(1) if not exponent or (not exponent % 2 and base) else base


CONTEXT = Context(prec=DIGITS, Emax=MAX_BITS, Emin=-MAX_BITS)


def to_decimal(value: Fraction) -> Decimal:
    """To `DIGITS` digits."""
    return CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))


def from_decimal(value: Decimal) -> Fraction:
    """Exactly; an infinite one has no value."""
    if not value.is_finite():
        raise ArithmeticFault("the value is not finite")
    return Fraction(value)


def square_root(value: Fraction) -> Fraction:
    """Exact where it is a fraction."""
    if value < 0:
        raise ArithmeticFault("sqrt of a negative number is no real number")
    exact = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
    return exact if exact * exact == value else from_decimal(to_decimal(value).sqrt(CONTEXT))


def rounded(value: Fraction, digits: Fraction = Fraction(0)) -> Fraction:
    """Half away from zero, as people round; Python's own rounds half to even."""
    if digits.denominator != 1 or abs(digits) > DIGITS:
        raise ArithmeticFault(f"round takes -{DIGITS} to {DIGITS} digits, got {float(digits):g}")
    scale = Fraction(10) ** digits.numerator
    whole = math.floor(abs(value) * scale + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole) / scale


def logarithm(value: Fraction, base: Fraction | None = None) -> Fraction:
    """Natural, or to a base."""
    own = to_decimal(value).ln(CONTEXT)
    return from_decimal(own if base is None else CONTEXT.divide(own, to_decimal(base).ln(CONTEXT)))


def factorial(value: Fraction) -> Fraction:
    """Of a whole number up to 500, whose factorial is as large as is borne."""
    if value.denominator != 1 or not 0 <= value <= 500:
        raise ArithmeticFault("factorial takes a whole number from 0 to 500")
    return Fraction(math.factorial(value.numerator))


def by_floats(function: Callable[[float], float]) -> Callable[..., Fraction]:
    """A function of the math module, to the 15 digits of a float."""
    return lambda value: Fraction(function(float(value)))


def mean(*values: Fraction) -> Fraction:
    """The arithmetic mean."""
    return sum(values, Fraction(0)) / len(values)


def median(*values: Fraction) -> Fraction:
    """The middle one, or the mean of the two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return mean(*ordered[half - 1 + len(ordered) % 2 : half + 1])


MANY = MAX_CHARS
OPERATORS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divided,
    "//": lambda left, right: Fraction(left // nonzero(right)),
    "%": lambda left, right: left % nonzero(right),
    "**": power,
}
CONSTANTS = {"pi": Fraction(math.pi), "e": Fraction(math.e)}
# The fewest and the most arguments of each.
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Fraction]]] = {
    "abs": (1, 1, abs),
    "ceil": (1, 1, lambda value: Fraction(math.ceil(value))),
    "cos": (1, 1, by_floats(math.cos)),
    "exp": (1, 1, lambda value: from_decimal(to_decimal(value).exp(CONTEXT))),
    "factorial": (1, 1, factorial),
    "floor": (1, 1, lambda value: Fraction(math.floor(value))),
    "log": (1, 2, logarithm),
    "log10": (1, 1, lambda value: from_decimal(to_decimal(value).log10(CONTEXT))),
    "log2": (1, 1, lambda value: logarithm(value, Fraction(2))),
    "max": (1, MANY, max),
    "mean": (1, MANY, mean),
    "median": (1, MANY, median),
    "min": (1, MANY, min),
    "pow": (2, 2, power),
    "round": (1, 2, rounded),
    "sin": (1, 1, by_floats(math.sin)),
    "sqrt": (1, 1, square_root),
    "sum": (1, MANY, lambda *values: sum(values, Fraction(0))),
    "tan": (1, 1, by_floats(math.tan)),
}
