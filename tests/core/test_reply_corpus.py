"""The corpus of replies: no wrong score, ever; and what a person could read is understood."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pro_service.core import replies
from pro_service.core.replies import Reading, Score, Snooze, Unreadable, read

SAFETY = ("intihar", "ölmek istiyorum", "göğüs ağrısı", "suicide", "kill myself")
OURS = (
    "Son 24 saatte kalça/bacak ağrınız ORTALAMA ne kadardı? 0 = hiç ağrı yok, 10 = en kötü. Bırakmak için DUR yazın.",
    "On average, how strong was your pain in the last 24 hours? Answer 0-10. Reply STOP to stop.",
)
LANGUAGES = ("tr", "en")
LEAST, LEAST_TURKISH = 400, 0.5
UNDERSTOOD = 0.98
MEANS: dict[str, Reading] = {
    "confirm_zero": replies.ConfirmZero(),
    "opt_out": replies.OptOut(),
    "opt_out_mentioned": replies.OptOutMentioned(),
    "opt_in": replies.OptIn(),
    "help": replies.Help(),
    "wrong_number": replies.WrongNumber(),
    "call_me": replies.CallMe(),
    "later_hour": Snooze("hour"),
    "later_tonight": Snooze("tonight"),
    "later_tomorrow": Snooze("tomorrow"),
    "yes": replies.Yes(),
    "no": replies.No(),
    "decline": replies.Decline(),
    "somebody_else": replies.Proxy(),
    "safety": replies.Safety(),
    "reaction": replies.Tapback(),
}
"""Name in the corpus -> reading; `ask` stands for every reason why a text is no score."""


@dataclass(frozen=True, slots=True)
class Example:
    """One reply of the corpus."""

    language: str
    text: str
    meaning: Reading | None
    """None = to be asked again."""
    clear: bool
    """Whether a human reader knows what was meant."""

    @property
    def read(self) -> Reading:
        """What the rules make of it."""
        return read(self.text, self.language, item_min=0, item_max=10, own_texts=OURS, safety_words=SAFETY)

    @property
    def good(self) -> bool:
        """Whether that is what was meant; what is asked again did no harm, but was not understood."""
        return self.read == self.meaning if self.meaning is not None else isinstance(self.read, Unreadable)


def corpus() -> Iterator[Example]:
    """Every reply of both files."""
    for language in LANGUAGES:
        file = Path(__file__).with_name(f"replies.{language}.toml")
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        for section, clear in (("score", True), ("clear_but_asked", True)):
            for value, texts in found[section].items():
                yield from (Example(language, text, Score(int(value)), clear) for text in texts)
        for name, texts in found["other"].items():
            yield from (Example(language, text, MEANS.get(name), name != "ask") for text in texts)
            assert name in MEANS or name == "ask", f"replies.{language}.toml: no reading is called {name}"


EXAMPLES = tuple(corpus())


def test_the_corpus_is_large_turkish_enough_and_says_each_thing_once() -> None:
    assert len(EXAMPLES) >= LEAST
    assert sum(one.language == "tr" for one in EXAMPLES) / len(EXAMPLES) >= LEAST_TURKISH
    assert len({(one.language, one.text) for one in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reply_becomes_a_score_that_was_not_meant(
    language: str, record_property: Callable[[str, object], None]
) -> None:
    mine = [one for one in EXAMPLES if one.language == language]
    clear = [one for one in mine if one.clear]
    wrong = [one.text for one in mine if isinstance(one.read, Score) and one.read != one.meaning]
    missed = [one.text for one in clear if not one.good]
    share = 1 - len(missed) / len(clear)
    record_property(
        "corpus of replies",
        f"{language}: {len(mine)} replies, {len(wrong)} wrong scores, {len(clear) - len(missed)} of {len(clear)} "
        f"readable ones understood ({share:.1%})",
    )
    assert wrong == []
    assert share >= UNDERSTOOD, missed
    # What is not clear is asked again, each of it.
    assert [one.text for one in mine if not one.clear and not one.good] == []
