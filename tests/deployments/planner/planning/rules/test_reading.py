"""What rules understand, what it becomes, and what they leave alone."""

from __future__ import annotations

import pytest

from tests.deployments.planner.planning.rules.reading import GRAMMAR, SERVED, calls, read

BERLIN = {"time": "09:00", "from_zone": "Europe/Berlin", "date": "2026-03-29", "to_zone": "Asia/Tokyo"}
SENTIMENT_ZH = '分析以下两条评论的情感，并告诉我正面评论的比例："很好看"；"太无聊了"'  # noqa: RUF001


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("What is (45 + 15) / 4 - 2?", [("calculate", {"expression": "(45 + 15) / 4 - 2"})]),
        ("seven times eight divided by 2", [("calculate", {"expression": "7 * 8 / 2"})]),
        ("What is 5% of 1,200 plus 15?", [("calculate", {"expression": "5 / 100 * 1200 + 15"})]),
        ("What is the value of 2 + 3?", [("calculate", {"expression": "2 + 3"})]),
        ("the square root of 16 plus 9", [("calculate", {"expression": "(sqrt(16)) + 9"})]),
        ("the sum of 12, 30 and 58, divided by 4", [("calculate", {"expression": "(12 + 30 + 58) / 4"})]),
        ("一百二十乘以三是多少？", [("calculate", {"expression": "120 * 3"})]),  # noqa: RUF001
        (
            "How many days are there from March 3, 2023 to 1 April 2024?",
            [("days_between", {"start": "2023-03-03", "end": "2024-04-01"})],
        ),
        ("2024年2月1日到2024年3月15日有多少天", [("days_between", {"start": "2024-02-01", "end": "2024-03-15"})]),
        ("What date is 3 weeks before tomorrow?", [("add_to_date", {"date": "2026-03-02", "weeks": -3})]),
        ("明天是星期几？", [("add_to_date", {"date": "2026-03-02", "days": 0})]),  # noqa: RUF001
        ("What time is it in Tokyo when it is 9:00 in Berlin on 2026-03-29?", [("convert_time", BERLIN)]),
        ("2026-03-29柏林9:00的时候东京是几点？", [("convert_time", BERLIN)]),  # noqa: RUF001
        ("东京现在几点", [("current_time", {"zone": "Asia/Tokyo"})]),
        ("How many kilograms are 150 pounds?", [("convert_unit", {"value": 150, "from_unit": "lb", "to_unit": "kg"})]),
        ("把5磅换算成千克", [("convert_unit", {"value": 5, "from_unit": "lb", "to_unit": "kg"})]),
        ("Count the characters of 'hello world'", [("text_statistics", {"text": "hello world"})]),
        ("Is this review positive or negative: Dull and long.", [("sentiment", {"inputs": ["Dull and long."]})]),
        ("Classify this iris flower: 6.3, 3.3, 6.0, 2.5", [("iris", {"inputs": [[6.3, 3.3, 6, 2.5]]})]),
        ('Query {"a": {"b": 1}} with "a.b"', [("query_json", {"document": {"a": {"b": 1}}, "query": "a.b"})]),
        (
            'What is the average price in {"items": [{"price": 2}, {"price": 16}]}?',
            [("query_json", {"document": {"items": [{"price": 2}, {"price": 16}]}, "query": "avg(items[].price)"})],
        ),
        ("Search the documents for the retry budget.", [("search_documents", {"query": "the retry budget"})]),
    ],
)
def test_one_thing_asked_for_is_one_call(instruction: str, expected: list[object]) -> None:
    """Each matter, in English and Chinese, with exactly the arguments that were said."""
    assert calls(instruction) == expected


def test_a_result_takes_the_place_of_a_number() -> None:
    """The first instruction that the documentation shows: two tools, the second with the result of the first."""
    plan = read("What is 17 * 23 plus the number of days between 2024-02-01 and 2024-03-15?")
    assert plan is not None
    assert [(step.id, step.name) for step in plan.steps] == [("s1", "days_between"), ("s2", "calculate")]
    assert plan.steps[1].arguments == {"expression": "17 * 23 + ${s1.days}"}
    assert plan.answer == "17 * 23 + ${s1.days} = ${s2.value}"
    assert plan.steps[0].why == "the number of days between 2024-02-01 and 2024-03-15"


def test_operators_bind_as_they_are_written() -> None:
    """What follows an operator is no expression of its own while the operand before it is still to be found out."""
    found = calls("the number of days between 2024-02-01 and 2024-03-15 times 2 + 3")
    assert found[1] == ("calculate", {"expression": "${s1.days} * 2 + 3"})


def test_a_result_takes_the_place_of_a_date_and_of_an_amount() -> None:
    """Slots are typed, and whatever comes to the type fills them."""
    days = calls("How many days are between 2024-05-01 and the date 100 days after 2024-05-20?")
    assert days[1] == ("days_between", {"start": "2024-05-01", "end": "${s1.date}"})
    assert calls("How many kilometres is 3 * 7 miles?")[1][1]["value"] == "${s1.value}"


@pytest.mark.parametrize(
    ("instruction", "last"),
    [
        ("Convert 10 miles to kilometres, then multiply the result by 3.", {"expression": "${s1.value} * 3"}),
        ("Turn 2.5 hours into minutes and subtract 30 from it", {"expression": "${s1.value} - 30"}),
        (
            "Add 6 weeks to 2024-02-20 and tell me how many days lie between that date and 2024-12-31.",
            {"start": "${s1.date}", "end": "2024-12-31"},
        ),
        (
            "I ran 5 km this morning. How much is that in miles?",
            {"value": 5, "from_unit": "km", "to_unit": "mi"},
        ),
        (
            "My meeting is at 14:00 in London. What's that in Sydney time?",
            {"time": "14:00", "from_zone": "Europe/London", "to_zone": "Australia/Sydney"},
        ),
        ("Write a haiku about autumn, then tell me how many words it has.", {"text": "${s1}"}),
    ],
)
def test_what_was_said_before_is_referred_to(instruction: str, last: dict[str, object]) -> None:
    """`it`, `that date`, `the result`: the nearest value of the kind that the place takes."""
    assert calls(instruction)[-1][1] == last


@pytest.mark.parametrize(
    "texts",
    [
        '"A wonderful film."; "Dull."; "I loved it."',
        "\n1. A wonderful film.\n2. Dull.\n3. I loved it.",
        "\n- A wonderful film.\n- Dull.\n- I loved it.",
    ],
)
def test_texts_are_worked_on_side_by_side_and_then_counted(texts: str) -> None:
    """One step for each review, none waiting for another, and the share of all of them."""
    found = calls(f"Classify the sentiment of these three reviews and tell me the share of positive ones: {texts}")
    assert found[:3] == [("sentiment", {"inputs": [text]}) for text in ("A wonderful film.", "Dull.", "I loved it.")]
    values = [f"${{s{number}[0].label}}" for number in (1, 2, 3)]
    assert found[3:] == [("share_of", {"values": values, "value": "positive"})]
    assert [name for name, _ in calls(SENTIMENT_ZH)] == ["sentiment", "sentiment", "share_of"]


def test_texts_that_are_not_as_many_as_was_said_are_not_guessed_at() -> None:
    """They were parted elsewhere than they were meant to be, and each would be a wrong answer."""
    reviews = "Good; really good; and bad in the end; Dull."
    assert calls(f"What is the share of positive reviews among these four reviews: {reviews}")
    assert not calls(f"What is the share of positive reviews among these three reviews: {reviews}")
    assert not calls(
        'Classify the sentiment of these two reviews: he said "wow" and left; she said "no" and stayed; hm'
    )


def test_two_questions_have_two_answers() -> None:
    """Neither is lost for the other."""
    plan = read("Work out 19 squared. Also, how many litres are 3 gallons?")
    assert plan is not None
    assert plan.answer == "19 ** 2 = ${s2.value}; 3 gal = ${s1.value} l"


def test_the_same_call_is_made_once() -> None:
    """Two counts of one text are two fields of one result."""
    together = read('How many words and how many sentences are in "It rains. We stay."?')
    apart = read('How many words are in "It rains. We stay.", and how many sentences are in "It rains. We stay."?')
    assert together is not None
    assert apart is not None
    assert len(together.steps) == len(apart.steps) == 1
    assert together.answer == "${s1.words} words, ${s1.sentences} sentences"


@pytest.mark.parametrize(
    "instruction",
    [
        "Write a poem about 3 + 4",
        "What is 7 + 5, and send the result to Bob",
        "What is the capital of France and what is 2 + 2?",
        "How do I calculate 15% of 80 in Excel?",
        "Tom has 3 apples and buys 4 more. How many apples does he have?",
        "What is 2024-02-30 plus 3 days?",
        "3 + 4 * (2 - 1",
        "What is 2 + 2 for 5 people?",
        "Convert 3 months to days",
        "",
    ],
)
def test_an_instruction_is_understood_as_a_whole_or_not_at_all(instruction: str) -> None:
    """An answer to a part of what was asked would be a wrong answer."""
    assert read(instruction) is None


def test_what_a_user_quotes_is_never_a_reference() -> None:
    """Else a text could ask for the result of another step."""
    assert calls('How many words are in "a ${s1} b"?') == [("text_statistics", {"text": "a $${s1} b"})]


def test_a_task_that_is_not_there_is_not_planned_with() -> None:
    """Names of tasks come from the cluster's listing."""
    assert GRAMMAR.read('Is "I love it" positive?', SERVED) is not None
    assert GRAMMAR.read('Is "I love it" positive?', type(SERVED)(sentiment=None)) is None


@pytest.mark.parametrize(
    "instruction",
    [
        '{"a":' * 20_000,
        '"a' * 50_000,
        ": " * 50_000,
        "( " * 50_000,
        "1 + " * 20_000,
        "days between 2024-01-01 and " * 3000,
    ],
    ids=["json", "quotes", "colons", "brackets", "sum", "dates"],
)
@pytest.mark.timeout(20)
def test_an_endless_instruction_is_given_up_on(instruction: str) -> None:
    """A hundred thousand characters may come from anyone; without its bounds each of these takes minutes."""
    assert read(instruction) is None


@pytest.mark.parametrize(
    ("instruction", "asks"),
    [
        ("Send an email to bob@example.com saying that I am late.", True),
        ("Could you please book me a flight to Rome?", True),
        ("What is the weather in Oslo right now?", True),
        ("I am cold. Please switch on the heating.", True),
        ("帮我订一张去北京的火车票。", True),
        ("Write an email to my boss about the delay.", False),
        ("What is the capital of France?", False),
        ("Why do cats purr?", False),
        ("写一首关于大海的诗", False),
    ],
)
def test_acts_and_news_need_a_tool_and_words_do_not(instruction: str, asks: bool) -> None:
    """What chat would only pretend to have done, or could only invent."""
    assert GRAMMAR.asks_for_a_tool(instruction) is asks
