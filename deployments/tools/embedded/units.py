"""Units by quantity: exact factors, and the names that people call them by, in English and in Chinese.

The definitions are those of the SI brochure (9th edition), the international yard and pound of 1959, the US gallon,
and China's market system of 1959.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

# By quantity: the symbol, the size in the quantity's own unit, other names. A `+` after the size gives the offset.
TABLE = {
    "length": (
        ("m", "1", "metre meter 米 公尺"),
        ("km", "1000", "kilometre kilometer 千米 公里"),
        ("dm", "1/10", "decimetre decimeter 分米"),
        ("cm", "1/100", "centimetre centimeter 厘米 公分"),
        ("mm", "1/1000", "millimetre millimeter 毫米"),
        ("µm", "1/1000000", "um micrometre micrometer micron 微米"),
        ("nm", "1/1000000000", "nanometre nanometer 纳米"),
        ("in", "127/5000", "inch inches 英寸"),
        ("ft", "381/1250", "foot feet 英尺"),
        ("yd", "1143/1250", "yard 码"),
        ("mi", "201168/125", "mile 英里"),
        ("nmi", "1852", "nautical-mile 海里"),
        ("li", "500", "里 华里"),
        ("zhang", "10/3", "丈"),
        ("chi", "1/3", "尺 市尺"),
        ("cun", "1/30", "寸 市寸"),
    ),
    "mass": (
        ("kg", "1", "kilogram kilogramme kilo 千克 公斤"),
        ("g", "1/1000", "gram gramme 克"),
        ("mg", "1/1000000", "milligram 毫克"),
        ("t", "1000", "tonne metric-ton ton 吨 公吨"),
        ("lb", "45359237/100000000", "pound lbs 磅 英磅"),
        ("oz", "45359237/1600000000", "ounce 盎司"),
        ("st", "317514659/50000000", "stone 英石"),
        ("short-ton", "45359237/50000", "us-ton 短吨"),
        ("jin", "1/2", "斤 市斤"),
        ("liang", "1/20", "两 市两"),
    ),
    "volume": (
        ("l", "1", "litre liter 升 公升"),
        ("ml", "1/1000", "millilitre milliliter cc 毫升"),
        ("cl", "1/100", "centilitre centiliter"),
        ("m³", "1000", "m3 m^3 cubic-metre cubic-meter 立方米"),
        ("cm³", "1/1000", "cm3 cm^3 cubic-centimetre cubic-centimeter 立方厘米"),
        ("gal", "473176473/125000000", "gallon us-gallon 加仑"),
        ("imperial-gal", "454609/100000", "imperial-gallon uk-gallon 英制加仑"),
        ("qt", "473176473/500000000", "quart 夸脱"),
        ("pt", "473176473/1000000000", "pint 品脱"),
        ("cup", "473176473/2000000000", "杯"),
        ("fl-oz", "473176473/16000000000", "fluid-ounce 液盎司"),
        ("tbsp", "473176473/32000000000", "tablespoon 汤匙"),
        ("tsp", "157725491/32000000000", "teaspoon 茶匙"),
    ),
    "area": (
        ("m²", "1", "m2 m^2 sqm square-metre square-meter 平方米 平米"),
        ("km²", "1000000", "km2 km^2 square-kilometre square-kilometer 平方公里 平方千米"),
        ("cm²", "1/10000", "cm2 cm^2 square-centimetre square-centimeter 平方厘米"),
        ("ha", "10000", "hectare 公顷"),
        ("acre", "316160658/78125", "英亩"),
        ("ft²", "145161/1562500", "ft2 ft^2 sqft square-foot square-feet 平方英尺"),
        ("mi²", "40468564224/15625", "mi2 mi^2 square-mile 平方英里"),
        ("mu", "2000/3", "亩 市亩"),
    ),
    "speed": (
        ("m/s", "1", "mps metre-per-second meter-per-second metres-per-second meters-per-second 米每秒 米/秒"),
        (
            "km/h",
            "5/18",
            "kmh kph kilometre-per-hour kilometer-per-hour kilometres-per-hour kilometers-per-hour "
            "公里每小时 千米每小时 公里/小时 千米/小时 公里/时",
        ),
        ("mph", "1397/3125", "mi/h mile-per-hour miles-per-hour 英里每小时 英里/小时"),
        ("ft/s", "381/1250", "fps foot-per-second feet-per-second 英尺每秒"),
        ("kn", "463/900", "knot kt 节"),
    ),
    "temperature": (
        ("K", "1", "kelvin 开尔文 开"),
        ("°C", "1+5463/20", "c celsius centigrade degree-celsius degrees-celsius ℃ 摄氏度 摄氏"),
        ("°F", "5/9+45967/180", "f fahrenheit degree-fahrenheit degrees-fahrenheit ℉ 华氏度 华氏"),
    ),
    "time": (
        ("s", "1", "second sec 秒 秒钟"),
        ("ms", "1/1000", "millisecond 毫秒"),
        ("µs", "1/1000000", "us microsecond 微秒"),
        ("min", "60", "minute 分钟 分"),
        ("h", "3600", "hour hr 小时 钟头"),
        ("day", "86400", "d 天 日"),
        ("week", "604800", "wk 周 星期"),
    ),
    "data": (
        ("B", "1", "byte 字节"),
        ("bit", "1/8", "比特"),
        ("kB", "1000", "kilobyte 千字节"),
        ("MB", "1000000", "megabyte 兆字节 兆"),
        ("GB", "1000000000", "gigabyte 吉字节"),
        ("TB", "1000000000000", "terabyte 太字节"),
        ("PB", "1000000000000000", "petabyte 拍字节"),
        ("KiB", "1024", "kibibyte"),
        ("MiB", "1048576", "mebibyte"),
        ("GiB", "1073741824", "gibibyte"),
        ("TiB", "1099511627776", "tebibyte"),
        ("kbit", "125", "kilobit"),
        ("Mbit", "125000", "megabit 兆比特"),
        ("Gbit", "125000000", "gigabit 吉比特"),
    ),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A value of it times `size`, plus `offset`, is one of its quantity's own unit."""

    symbol: str
    quantity: str
    size: Fraction
    offset: Fraction

    def into(self, other: Unit, value: Fraction) -> Fraction:
        """The same amount of another unit of the quantity."""
        return (value * self.size + self.offset - other.offset) / other.size


def units() -> Iterator[tuple[str, Unit]]:
    """Every name, in lower case, with its unit."""
    for quantity, rows in TABLE.items():
        for symbol, factor, names in rows:
            size, _, offset = factor.partition("+")
            unit = Unit(symbol, quantity, Fraction(size), Fraction(offset or 0))
            yield from ((name.casefold(), unit) for name in (symbol, *names.split()))


UNITS = dict(units())


def unit_of(name: str) -> Unit | None:
    """The unit that is meant; a plural's `s` may stand."""
    wanted = "-".join(name.casefold().split())
    return UNITS.get(wanted) or UNITS.get(wanted.removesuffix("s"))
