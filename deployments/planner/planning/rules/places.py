"""Names of places as the tools take them: the zones of the IANA database by their cities, in Chinese too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from zoneinfo import available_timezones

CHINESE = {
    "北京": "Asia/Shanghai", "上海": "Asia/Shanghai", "中国": "Asia/Shanghai", "香港": "Asia/Hong_Kong",
    "台北": "Asia/Taipei", "东京": "Asia/Tokyo", "日本": "Asia/Tokyo", "首尔": "Asia/Seoul",
    "新加坡": "Asia/Singapore", "曼谷": "Asia/Bangkok", "迪拜": "Asia/Dubai", "德里": "Asia/Kolkata",
    "莫斯科": "Europe/Moscow", "柏林": "Europe/Berlin", "巴黎": "Europe/Paris", "伦敦": "Europe/London",
    "罗马": "Europe/Rome", "马德里": "Europe/Madrid", "阿姆斯特丹": "Europe/Amsterdam", "苏黎世": "Europe/Zurich",
    "纽约": "America/New_York", "芝加哥": "America/Chicago", "洛杉矶": "America/Los_Angeles",
    "多伦多": "America/Toronto", "圣保罗": "America/Sao_Paulo", "悉尼": "Australia/Sydney",
    "墨尔本": "Australia/Melbourne", "开罗": "Africa/Cairo", "约翰内斯堡": "Africa/Johannesburg",
}  # fmt: skip
# Cities that people name and the database does not.
CITIES = {
    "beijing": "Asia/Shanghai", "shenzhen": "Asia/Shanghai", "delhi": "Asia/Kolkata", "new delhi": "Asia/Kolkata",
    "mumbai": "Asia/Kolkata", "bangalore": "Asia/Kolkata", "osaka": "Asia/Tokyo", "kyoto": "Asia/Tokyo",
    "munich": "Europe/Berlin", "hamburg": "Europe/Berlin", "frankfurt": "Europe/Berlin", "milan": "Europe/Rome",
    "barcelona": "Europe/Madrid", "geneva": "Europe/Zurich", "edinburgh": "Europe/London",
    "san francisco": "America/Los_Angeles", "seattle": "America/Los_Angeles", "boston": "America/New_York",
    "washington": "America/New_York", "miami": "America/New_York", "houston": "America/Chicago",
    "dallas": "America/Chicago", "montreal": "America/Toronto", "rio de janeiro": "America/Sao_Paulo",
    "cape town": "Africa/Johannesburg",
}  # fmt: skip
ZONES = {"utc": "UTC", "gmt": "Etc/GMT"}
REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
LONGEST = 4  # words of a name


@cache
def places() -> Mapping[str, str]:
    """Zones by the names of places, case-folded: about 500."""
    cities = {}
    for zone in sorted(available_timezones()):
        if zone.startswith(REGIONS):
            cities[zone.casefold()] = zone
            cities.setdefault(zone.rsplit("/", 1)[1].replace("_", " ").casefold(), zone)
    return MappingProxyType(cities | CITIES | CHINESE | ZONES)
