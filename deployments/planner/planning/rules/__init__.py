"""Plans made by rules: a grammar of typed values over the embedded tools, in English and Chinese.

An instruction is read into tokens: words, and values such as numbers, dates and quoted texts. An intent is a pattern
over tokens that puts one value in the place of a span: what a step finds out that it adds to the draft. Values fill the
slots of other intents, so that intents compose without knowing of each other. An instruction is understood when no word
is left over that says something else.
"""

from deployments.planner.planning.rules.draft import ServedNames
from deployments.planner.planning.rules.intents import TOOLS
from deployments.planner.planning.rules.reading import Grammar

__all__ = ["TOOLS", "Grammar", "ServedNames"]
