"""What the cluster's own tasks say of texts and measurements, and what share of it is alike."""

from __future__ import annotations

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Intent, figure, result
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Token

FEATURES = 4  # of an iris: length and width of sepal and petal, in cm


def sentiments(captures: Captures, draft: Draft) -> Token | None:
    """The labels of texts, each by a step of its own."""
    if draft.served.sentiment is None:
        return None
    steps = [draft.task(draft.served.sentiment, [text]) for text in captures["texts"]]
    found = tuple(result(step, "[0].label") for step in steps)
    return Token("labels", "", found, says=", ".join(found))


def share(captures: Captures, draft: Draft) -> Token:
    """Which part of labels is the one that is asked for, between 0 and 1."""
    step = draft.tool("share_of", values=list(captures["labels"]), value=captures["label"])
    part, count, total = (result(step, path) for path in (".share", ".count", ".total"))
    return figure(step, ".share", f"{captures['label']}: {part} ({count}/{total})")


def share_of_texts(captures: Captures, draft: Draft) -> Token | None:
    """The same of texts, which are labelled first."""
    labels = sentiments(captures, draft)
    return share({**captures, "labels": labels.value}, draft) if labels else None


def number_of_texts(captures: Captures, draft: Draft) -> Token | None:
    """How many texts bear a label."""
    labels = sentiments(captures, draft)
    if labels is None:
        return None
    step = draft.tool("share_of", values=list(labels.value), value=captures["label"])
    return figure(step, ".count", f"{captures['label']}: {result(step, '.count')} / {result(step, '.total')}")


def species(captures: Captures, draft: Draft) -> Token | None:
    """The species of an iris by its measurements."""
    row = captures.get("row") or tuple(captures[name] for name in "abcd")
    if draft.served.iris is None or len(row) != FEATURES:
        return None
    step = draft.task(draft.served.iris, [[draft.amount(item) for item in row]])
    says = result(step, "[0].label")
    return Token("name", "", says, says=says)


SHARE = "(share|percentage|fraction|proportion|part|percent)"
ONES = "[ones|reviews|comments|texts|sentences|statements|labels]"
LABELS = (
    Intent(
        (
            "[classify|analyse|analyze|determine|detect|assess|judge|label|find|what is|what are|rate] "
            "(sentiment|sentiments|mood|tone|polarity) (of|in|for|behind) [each of|each|all] [of] {texts:texts}",
            "(classify|label) {texts:texts} [as|by] (positive or negative|sentiment)",
            "(is|are|was|were) {texts:texts} [each] {x:label} or {y:label}",
            "(is|are|was) {texts:texts} (positive|negative)",
            "(do|does|did) {texts:texts} sound {x:label} or {y:label}",
            "(whether|if) (customer|reviewer|author|writer|user|critic|guest) (liked|likes|enjoyed|loved|is "
            "happy with) "
            "[it|product|film|movie|book] [:] {texts:texts}",
            "did (customer|reviewer|author|writer|user|critic|guest) (like|enjoy|love) [it|product|film|movie] [:] "
            "[?] {texts:texts}",
            "(sentiment|sentiments) [analysis] [of|for|:] {texts:texts}",
            "[分析|判断|识别] {texts:texts} [是] (情感|情绪|感情|情感倾向)",
            "[分析|判断|识别] (情感|情绪|感情|情感倾向) [:] {texts:texts}",
            "[判断] {texts:texts} 是 {x:label} [还是|或] {y:label} [评价|评论]",
        ),
        sentiments,
    ),
    Intent(
        (
            f"{{labels:labels}} [,] [and] [tell|give|say|report|compute|calculate|what is] [what] {SHARE} "
            f"[of them] [of|is|are|that is|that are] {{label:label}} {ONES}",
            f"{{labels:labels}} [,] [and] [tell|give|say] [what] {SHARE} (of them|of these|of those) (is|are) "
            "{label:label}",
            "{labels:labels} [,] [并|并且|然后] [告诉] [给出|计算] [其中] {label:label} [评论|评价] [占] "
            "[比例|占比|百分比] [多少]",
        ),
        share,
    ),
    Intent(
        (
            f"[what] {SHARE} of {{texts:texts}} [that|which] (is|are|was|were|sounds|sound) {{label:label}}",
            f"{SHARE} of {{label:label}} [ones|reviews|comments|texts] (in|among|of) {{texts:texts}}",
            "{texts:texts} [中|里|当中] {label:label} [评论|评价] [占] (比例|占比|百分比) [是] [多少]",
        ),
        share_of_texts,
    ),
    Intent(
        (
            "how many of {texts:texts} (is|are|were|sound) {label:label}",
            "{texts:texts} [中|里|当中] [有] [多少|几] [条] [是] {label:label} [评论|评价]",
        ),
        number_of_texts,
    ),
    Intent(
        (
            "[which|what] [is] [species|kind|type] [of] iris [flower|species] [has|is|with|of|:|measuring|,] "
            "[one] [with|measurements] [:] {row:numbers}",
            "[classify|identify|predict] [this] iris [flower|species] [with|:|measuring] [measurements] [:] "
            "{row:numbers}",
            "[which|what] iris [species|flower] (has|with) sepal length [of] {a:number} [cm] [,] [and] sepal "
            "width [of] "
            "{b:number} [cm] [,] [and] petal length [of] {c:number} [cm] [,] [and] petal width [of] {d:number} [cm]",
            "鸢尾花 [:] {row:numbers} [是] [哪种|什么品种|哪一种]",
        ),
        species,
    ),
)
