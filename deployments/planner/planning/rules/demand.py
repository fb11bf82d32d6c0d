"""What language alone cannot do: acts in the world, and what is known only at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from deployments.planner.planning.rules.token import is_ideograph
from deployments.planner.planning.words import words

# An instruction that begins with one of these has something done; `write an email` is no such, `send` one is.
ACTS = words(
    """
    send email mail text call phone dial ring message post tweet publish share upload download book reserve order
    buy purchase sell pay transfer wire donate invest cancel reschedule schedule remind set turn switch dim lock
    unlock open close start stop play pause record restart reboot shut delete remove move copy rename save print
    install uninstall deploy run execute click navigate drive fly hire invite subscribe unsubscribe register enrol
    enroll submit upgrade update track monitor ping crawl scrape browse fetch water feed clean cook hack
    """
)
# Verbs from above that language can do as well, with these objects.
SPOKEN = {
    "play": ("role", "devil's"), "set": ("out", "theory"), "run": ("through",), "open": ("up",),
    "call": ("to",), "share": ("your", "some", "tips", "thoughts"), "order": ("these", "following", "words"),
    "text": (), "message": (), "update": ("this", "following"), "remove": ("adjectives", "words"),
    "cook": (), "track": (), "record": (), "start": ("with", "by"), "close": ("with",), "stop": (),
}  # fmt: skip
POLITE = words(
    """
    can could would will you i i'd want need like to please go ahead and let's let me my for by now quickly
    """
)
LIVE = words(
    """
    weather forecast temperature news headlines stock stocks shares traffic exchange flight flights score scores
    inbox calendar emails bitcoin
    """
)
# With one of these it is about the state of the world now; without, `what is weather?` is a question of words.
NOW = words(
    """
    now today tonight tomorrow currently current latest live right moment this week weekend yesterday outside next
    upcoming my doing in how how's what's like
    """
)
CHINESE_ACTS = (
    "发短信", "发邮件", "发一条", "发一封", "发送", "打电话", "订一", "预订", "预定", "订票", "订机票", "购买", "买一",
    "下单", "转账", "付款", "支付", "打开", "关闭", "关掉", "播放", "提醒我", "删除", "取消", "安装", "上传", "下载",
    "叫车", "设闹钟", "设置闹钟", "拨打",
)  # fmt: skip
CHINESE_LIVE = ("天气", "气温", "新闻", "股价", "股票", "汇率", "路况", "航班")


def is_demand(words: Sequence[str]) -> bool:
    """Whether the words of a sentence, case-folded, ask for what only a tool can do or know."""
    text = "".join(word for word in words if is_ideograph(word))
    return _acts(words) or _asks_now(words) or any(name in text for name in (*CHINESE_ACTS, *CHINESE_LIVE))


def _acts(words: Sequence[str]) -> bool:
    """Whether the first word that is no politeness is an act."""
    rest = [word for word in words if word not in POLITE]
    return bool(rest) and rest[0] in ACTS and not set(SPOKEN.get(rest[0], ())).intersection(rest[1:3])


def _asks_now(words: Sequence[str]) -> bool:
    """Whether it is asked how something is now that changes from hour to hour."""
    told = set(words)
    return bool(told & LIVE) and bool(told & NOW)
