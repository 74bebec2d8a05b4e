"""What people write: the same thing in many ways, and things that are no answer at all."""

import random

from pro_service.core.replies.number_words import NUMBERS

ANSWERS = ("{n}", "{n}", "{n}", " {n} ", "{n}.", "{word}", "{thanks}")
GARBLE = ("{n}-{more}", "{n} {more}", "{n},5", "{n}?{more}", "99", "-{n}", "{n}{n}{n}", "{n} or {more}")
STOP = {"tr": ("DUR", "dur", "STOP", "iptal"), "en": ("STOP", "stop", "Stop.", "unsubscribe")}
START = {"tr": "BAŞLA", "en": "START"}
YES = {"tr": "EVET", "en": "YES"}
NO = {"tr": "HAYIR", "en": "NO"}
DECLINE = {"tr": "cevap vermek istemiyorum", "en": "prefer not to answer"}
LATER = {"tr": ("sonra", "yarın", "bu akşam"), "en": ("later", "tomorrow", "tonight")}
CALL = {
    "tr": ("beni arayın", "beni akşam arayın", "yarın sabah arayın lütfen", "öğlen ararsanız sevinirim"),
    "en": ("call me", "call me in the evening", "please ring me tomorrow morning", "call me this afternoon"),
}
HELP = {"tr": "yardım", "en": "help"}
CHAT = {
    "tr": ("hiç", "ağrım aynı", "teşekkürler", "ne demek bu", "tamam", "lütfen artık mesaj atmayın bana"),
    "en": ("none", "same as before", "thanks", "what does this mean", "okay", "please stop texting me so early"),
}
"""Words that are no answer and no wish: some of them hold texts for a day, since a stop may be meant."""
CORRECTION = {
    "tr": ("pardon {n}", "{n} olacaktı", "düzeltme: {n}"),
    "en": ("sorry {n}", "I meant {n}", "correction: {n}"),
}
THANKS = {"tr": "{n} teşekkürler", "en": "{n} thanks"}


def number(value: int, language: str, chance: random.Random) -> str:
    """A value as people write it: always readable, never the same."""
    spoken = {n: word for word, n in NUMBERS[language].items()}
    return chance.choice(ANSWERS).format(n=value, word=spoken[value], thanks=THANKS[language].format(n=value))


def garble(value: int, chance: random.Random) -> str:
    """Something with a number in it that is no exact answer."""
    return chance.choice(GARBLE).format(n=value, more=value + 1)
