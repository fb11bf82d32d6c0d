"""Time zones by IANA name, by offset, and by well-known cities and countries, in English and in Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from deployments.tools.embedded.refusal import refused

MAX_NAME = 64
OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d{1,2})(?::?([0-5]\d))?")
MOST_HOURS = 14  # Kiritimati's
# Of IANA's areas, those whose names end in cities.
AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")

# Those whose name is not the end of an IANA name.
PLACES = {
    "Africa/Cairo": "egypt 开罗 埃及",
    "Africa/Johannesburg": "cape-town south-africa 开普敦 约翰内斯堡 南非",
    "Africa/Lagos": "nigeria 拉各斯",
    "Africa/Nairobi": "kenya 内罗毕",
    "America/Argentina/Buenos_Aires": "argentina 布宜诺斯艾利斯 阿根廷",
    "America/Chicago": "houston dallas austin minneapolis 芝加哥 休斯敦 达拉斯",
    "America/Denver": "salt-lake-city 丹佛",
    "America/Los_Angeles": (
        "la san-francisco seattle san-diego las-vegas silicon-valley california 洛杉矶 旧金山 西雅图 硅谷 加州"
    ),
    "America/Mexico_City": "mexico 墨西哥城 墨西哥",
    "America/New_York": (
        "nyc boston washington washington-dc miami philadelphia atlanta 纽约 波士顿 华盛顿 迈阿密 费城 亚特兰大"
    ),
    "America/Sao_Paulo": "rio-de-janeiro rio brazil são-paulo brasilia 圣保罗 里约热内卢 里约 巴西",
    "America/Toronto": "ottawa 多伦多 渥太华",
    "America/Vancouver": "温哥华",
    "Asia/Bangkok": "thailand 曼谷 泰国",
    "Asia/Dubai": "abu-dhabi 迪拜 阿布扎比",
    "Asia/Ho_Chi_Minh": "vietnam hanoi 胡志明市 河内 越南",
    "Asia/Hong_Kong": "香港",
    "Asia/Jakarta": "雅加达",
    "Asia/Jerusalem": "israel 耶路撒冷 特拉维夫 tel-aviv 以色列",
    "Asia/Kolkata": (
        "mumbai delhi new-delhi bangalore bengaluru chennai hyderabad pune india 孟买 德里 新德里 班加罗尔 印度"
    ),
    "Asia/Kuala_Lumpur": "malaysia 吉隆坡 马来西亚",
    "Asia/Manila": "philippines 马尼拉 菲律宾",
    "Asia/Riyadh": "saudi-arabia 利雅得",
    "Asia/Seoul": "south-korea korea busan 首尔 韩国 釜山",
    "Asia/Shanghai": (
        "beijing peking shenzhen guangzhou hangzhou chengdu wuhan nanjing tianjin xian china "
        "北京 上海 深圳 广州 杭州 成都 武汉 南京 天津 西安 重庆 中国"
    ),
    "Asia/Singapore": "新加坡",
    "Asia/Taipei": "taiwan 台北 台湾",
    "Asia/Tehran": "德黑兰",
    "Asia/Tokyo": "osaka kyoto japan 东京 大阪 京都 日本",
    "Australia/Melbourne": "墨尔本",
    "Australia/Sydney": "canberra 悉尼 堪培拉",
    "Europe/Amsterdam": "netherlands rotterdam the-hague 阿姆斯特丹 荷兰",
    "Europe/Athens": "greece 雅典 希腊",
    "Europe/Berlin": (
        "germany munich frankfurt hamburg cologne stuttgart dusseldorf düsseldorf münchen köln "
        "柏林 德国 慕尼黑 法兰克福 汉堡 科隆"
    ),
    "Europe/Brussels": "belgium 布鲁塞尔",
    "Europe/Dublin": "ireland 都柏林",
    "Europe/Istanbul": "ankara turkey 伊斯坦布尔 土耳其",
    "Europe/Kyiv": "kiev ukraine 基辅",
    "Europe/Lisbon": "porto portugal 里斯本 葡萄牙",
    "Europe/London": "uk england britain manchester edinburgh glasgow oxford cambridge 伦敦 英国 曼彻斯特 爱丁堡",
    "Europe/Madrid": "barcelona spain 马德里 巴塞罗那 西班牙",
    "Europe/Moscow": "st-petersburg saint-petersburg 莫斯科 圣彼得堡",
    "Europe/Paris": "france lyon marseille nice 巴黎 法国 里昂 马赛",
    "Europe/Prague": "布拉格",
    "Europe/Rome": "italy milan venice florence naples 罗马 意大利 米兰 威尼斯 佛罗伦萨",
    "Europe/Stockholm": "sweden 斯德哥尔摩 瑞典",
    "Europe/Vienna": "austria 维也纳 奥地利",
    "Europe/Warsaw": "poland krakow 华沙 波兰",
    "Europe/Zurich": "switzerland geneva bern basel zürich 苏黎世 日内瓦 瑞士",
    "Pacific/Auckland": "new-zealand wellington 奥克兰 惠灵顿 新西兰",
    "Pacific/Honolulu": "hawaii 檀香山 夏威夷",
    "UTC": "z zulu 协调世界时 世界时",
}


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone and what it is called."""

    name: str
    info: tzinfo


def zone_of(name: str, param: str) -> Zone:
    """The zone that is meant.

    Raises:
        UnprocessableEntityError: nobody knows it; `param` is the argument that named it.
    """
    wanted = hyphened("-".join(name.split())) if len(name) <= MAX_NAME else ""
    if found := OFFSET.fullmatch(name.replace(" ", "").replace("\N{MINUS SIGN}", "-").casefold()):
        return fixed(found, param)
    known = known_zones().get(wanted)
    if known is None:
        hint = "an IANA name such as Asia/Tokyo, an offset such as UTC+9, or the largest city of the zone would do"
        raise refused(param, f"{name[:MAX_NAME]!r} is no known zone or city; {hint}")
    return Zone(known, ZoneInfo(known))


def fixed(found: re.Match[str], param: str) -> Zone:
    """A zone of one offset."""
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours > MOST_HOURS:
        raise refused(param, f"an offset is {MOST_HOURS} hours at most, got {hours}")
    offset = timedelta(hours=hours, minutes=minutes)
    name = f"UTC{found[1]}{hours:02}:{minutes:02}"
    return Zone(name, timezone(offset if found[1] == "+" else -offset, name))


@cache  # a table of the program's own; reading the system's list of zones takes some 20 ms
def known_zones() -> dict[str, str]:
    """The IANA name by each name that is understood, in lower case with hyphens.

    A place above goes before a whole IANA name, and that before the last part of one; of several, before the longer.
    """
    names = sorted(available_timezones(), key=lambda name: (-name.count("/"), name))
    known = {hyphened(name.rpartition("/")[2]): name for name in names if name.startswith(AREAS)}
    known |= {hyphened(name): name for name in names}
    for name, places in PLACES.items():
        known |= dict.fromkeys(places.split(), name)
    return known


def hyphened(name: str) -> str:
    """As names are compared."""
    return name.casefold().replace("_", "-")
