"""Numbers beside an answer that are no second answer: an age, the 24 hours of the question, the answer said again.

`Yaşım 76, ağrım 6`, `son 24 saat için 4`, `7. Yes, seven`, `8 8`, `#3`, `dün 6 bugün yine 6`; last week's number before
that of the last 24 hours; a dose in a sentence of its own after what was said to be the pain. What is taken out here
leaves one number, which must still be read as without it (see `numbers`). An age lies above every scale. A number is
said again only with something between that joins no numbers, and never `5 5` or `1 1`, which may be 5.5 or 11 without
its sign.
"""

import re
from functools import lru_cache

from pro_service.core.replies.number_words import NUMBERS

_TWICE_TR, _TWICE_EN = (rf"([0-9]+|{'|'.join(NUMBERS[language])})" for language in ("tr", "en"))
_BEFORE_A_DATE = r"^((?:.*[ ,.])?(?:agrim?|puanim|skorum|cevabim|pain|score|answer)\b[^,.;!?\ufffd]*[0-9])\s*[.!;]+\s*"
"""An answer that is named as one, in a sentence of its own: what follows about an appointment may hold numbers."""
_TURKISH = {
    rf"{_BEFORE_A_DATE}(?:(?:benim|bu arada|peki|bir sonraki|sonraki)\s+)*(?:randevu|kontrol|muayene)\w*\b"
    r"(?!.*\b(?:agri|sizi|sanci|artti|azaldi|ama|cunku|degil)\w*)[^;]*[0-9][^;]*$": r"\1",
    rf"\bgecen (?:hafta|ay|sefer)(?: agrim)? {_TWICE_TR}(?:(?: |'?y?)(?:di|idi))?[ ,.]+(?:ama )?(?=son 24 saat)": "",
    r"\bson (?:24|yirmi ?dort) saat(?:lik|teki|tir|te|i)?(?: (?:icin|icinde|boyunca))?(?= )": "bugun",
    r"\b24 saat(?:lik|teki)?(?= ort)": "bugun",
    r"\bson (?:bir|1) gun(?:de|luk)?(?= (?:ort|agri))": "bugun",
    **{
        rf"\b(?:{one}|{other})(?: de| da)?(?: agrim)? {_TWICE_TR}(?: ve)?[ ,]+(?:{one}|{other})"
        r"(?: de| da| yine| hala| agrim)* \1\b": r"bugun \1"
        for one, other in (("dun", "bugun"), ("kalcam?", "bacagim|bacak"))
    },
    r"^((?:.*[ ,.])?agrim?\b[^,.;]*[0-9])[,.;]+ (?:aksam |gece |sabah )?(?:[1-4]|bir|iki|uc) (?:tane |adet )?"
    r"(?:agri kesici|hap|ilac|tablet|parol) (?:ictim|aldim)[ .!]*$": r"\1",
    r"\b(?:ben )?(?:[2-9][0-9] yasindayim|yasim [2-9][0-9])\b": " , ",
}
_ENGLISH = {
    rf"\blast (?:week|month|time)(?: it| my pain)?(?: was)?(?: an?)? {_TWICE_EN}[ ,.]+(?:but )?(?:it is |its )?"
    r"(?=(?:(?:in|over|for|during) )?(?:the )?(?:last|past) 24 )": "",
    r"\b24 ?(?:hour|hr|h) (?=average)": "",
    r"\baverag(?:e|ed|ing) over (?:the )?(?:last |past )?24 ?(?:hours|hrs|hr|h)\b": "average",
    r"\b(?:i have|ive|having|i feel|feeling) ([0-9]+) (?:level )?(?:of )?pain\b": r"pain \1",
    rf"{_BEFORE_A_DATE}(?:(?:my|the|your|is|was|when|what|and|i|have|an|see you)\s+)*"
    r"(?:appointment|check ?up|follow ?up|clinic visit|next visit)\b"
    r"(?!.*\b(?:pain|hurt|sore|worse|better|because|but|not)\w*)[^;]*[0-9][^;]*$": r"\1",
    r"\b(?:(?:in|over|for|during) )?(?:(?:the|my) )?(?:last|past) 24 ?(?:hours|hrs|hr|h)\b": "today",
    r"\b(?:i am|i'm|im|aged|age) [2-9][0-9](?: (?:years old|years|yrs old|yrs|yr old))?(?: now)?"
    r"(?: and(?: still \w+ing)?\b(?! ?[0-9]))?(?=[ ,.;]|$)": " , ",
    **{
        rf"\b(?:{one}|{other})(?: it)?(?: was| is)? {_TWICE_EN}[ ,]+(?:and )?(?:{one}|{other})"
        r"(?: it)?(?: was| is| its| still| again| also)* \1\b": r"today \1"
        for one, other in (("yesterday", "today"), ("hip", "leg"))
    },
    r"^((?:.*[ ,.])?pain(?! at)\b[^,.;]*[0-9])[,.;]+ (?:i |i've |ive )?(?:took|had|taken) (?:[1-4]|one|two|three) "
    r"(?:paracetamols?|ibuprofens?|tablets?|pills?|pain ?killers?|codeine|nurofen)"
    r"(?: at bedtime| last night| today| this morning| at night)?[ .!]*$": r"\1",
}
_ASIDES = tuple((re.compile(said), instead) for said, instead in {**_TURKISH, **_ENGLISH}.items())
_HASH = re.compile(
    r"^\s*(?:(?:no\.? |number )?#\s?(?=\d+\b)|(?:my )?number (?=\d+\W+(?:please|pls|thanks|thank you|for me)\b))",
    re.IGNORECASE,
)
_JOINING = r"(?:yes|yep|yeah|so|thats|that is|i repeat|repeat|again|evet|yani|diyorum|tekrar|tekrar ediyorum)"
_MAY_BE_ONE = frozenset({"5 5", "1 1"})


def without_sign(text: str) -> str:
    """Return a text without the sign that only says that a number follows: `#3`, `number 3 please`."""
    return _HASH.sub("", text)


def without_asides(mark: str, language: str) -> str:
    """Return a marked text without its writer's age and with its one number said once."""
    for said, instead in _ASIDES:
        mark = said.sub(instead, mark)
    return _again(language).sub(_once, mark)


def _once(found: re.Match[str]) -> str:
    return found[0] if found[0] in _MAY_BE_ONE else next(filter(None, found.groups()))


@lru_cache
def _again(language: str) -> re.Pattern[str]:
    """Match an answer that is said again: in digits, as a word or both."""
    numbers = NUMBERS[language]
    joined = rf"[ ,.!;\n]*\b{_JOINING}[ ,:]+"
    alike = (
        rf"((?:{number}|{word})(?:/10)?)(?:{joined}(?:{number}|{word})\b(?![.,]\d))+"
        rf"|({number}(?:/10)?)(?:(?:{joined}|[,.!;]*\s+){number}\b(?![.,]\d))+"
        for word, number in numbers.items()
    )
    return re.compile(rf"(?<![\w.,/-])(?<!of )(?<!over )(?<!uzerinden )(?:{'|'.join(alike)})")
