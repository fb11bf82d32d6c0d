"""Units by the names that people use, in English and Chinese, and the names under which the tools know them."""

from __future__ import annotations

from types import MappingProxyType

# Symbols that are words more often than units.
AMBIGUOUS = frozenset({"in", "st", "t", "s", "h", "k", "b"})
# The symbol under which the tool knows it, then what it is called besides.
_NAMES = (
    "km|kilometer kilometers kilometre kilometres km kms 公里 千米",
    "m|meter meters metre metres m 米 公尺",
    "cm|centimeter centimeters centimetre centimetres cm 厘米 公分",
    "mm|millimeter millimeters millimetre millimetres mm 毫米",
    "mi|mile miles mi 英里",
    "yd|yard yards yd 码",
    "ft|foot feet ft 英尺",
    "in|inch inches 英寸",
    "nmi|nautical~mile nautical~miles nmi 海里",
    "kg|kilogram kilograms kilogramme kilogrammes kg kilo kilos 公斤 千克",
    "g|gram grams gramme grammes g 克",
    "mg|milligram milligrams mg 毫克",
    "t|tonne tonnes metric~ton metric~tons 吨",
    "lb|pound pounds lb lbs 磅",
    "oz|ounce ounces oz 盎司",
    "st|stone stones",
    "l|liter liters litre litres l 升 公升",
    "ml|milliliter milliliters millilitre millilitres ml 毫升",
    "gal|gallon gallons us~gallon us~gallons gal 加仑",
    "pt|pint pints",
    "qt|quart quarts",
    "cup|cup cups",
    "°C|celsius °c degrees~celsius degree~celsius degrees~centigrade degrees~c centigrade 摄氏度 摄氏",
    "°F|fahrenheit °f degrees~fahrenheit degree~fahrenheit degrees~f 华氏度 华氏",
    "K|kelvin kelvins degrees~kelvin",
    "s|second seconds secs 秒 秒钟",
    "min|minute minutes mins 分钟",
    "h|hour hours hrs 小时 钟头",
    "day|day days 天 日",
    "week|week weeks 周 星期",
    "month|month months 月",
    "year|year years 年",
    "km/h|kilometer~per~hour kilometers~per~hour kilometres~per~hour km/h kmh kph 公里每小时 千米每小时",
    "mph|mile~per~hour miles~per~hour mph 英里每小时",
    "m/s|meter~per~second meters~per~second metres~per~second m/s 米每秒",
    "kn|knot knots",
    "B|byte bytes 字节",
    "kB|kilobyte kilobytes kb",
    "MB|megabyte megabytes mb",
    "GB|gigabyte gigabytes gb",
    "TB|terabyte terabytes tb",
    "acre|acre acres 英亩",
    "ha|hectare hectares ha 公顷",
)
UNITS = MappingProxyType(
    {
        name.replace("~", " "): symbol
        for symbol, names in (line.split("|") for line in _NAMES)
        for name in [symbol.casefold(), *names.split()]
        if name not in AMBIGUOUS
    }
)
CALENDAR = MappingProxyType({"day": "days", "week": "weeks", "month": "months", "year": "years"})
UNEVEN = ("month", "year")  # which are of no fixed length, and only move dates
LONGEST = 6  # tokens of a name; in Chinese each character is one
