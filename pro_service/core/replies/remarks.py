"""Remarks beside an answer: statements in a clause of their own that say nothing about the number.

`7, slept badly`, `Ağrı 6, hava soğuk olduğu için`: a clause set off by punctuation, a line, an emoji, a courtesy or
its own form is left out, and what remains must be a known frame around one number, as without it (see `numbers`).
What people tell of their day is endless, what turns a number into something else is not: other people, other times
and places of the body, conditions, hedges and retractions, comparisons, doses and counts, questions, requests, and
health events that a person must read. So a remark may hold unknown words, but none that is, begins like or is one
slip away from a word of these kinds, no digit and no number word. And it must be a statement (`walked the dog`): a
mere `walking`, `left`, `in bed` says of what the number holds. In what somebody did or can do (`had to lie down
twice`), a time or a position turns nothing. What a remark says of how somebody is must fit the number. Decision 40
says it step by step.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from pro_service.core.replies import frames
from pro_service.core.replies.folding import DOUBT, contains, plain_of
from pro_service.core.replies.number_words import NUMBERS
from pro_service.core.replies.phrases import HALVES, OPT_OUT, OPT_OUT_HINTS, PROXY, WRONG_NUMBER_INSIDE
from pro_service.core.replies.remark_words import CONDITIONS_TR, VOCABULARIES
from pro_service.core.replies.slips import meant

Mood: TypeAlias = tuple[str, bool]
"""How somebody is, according to a remark: "good" or "bad", and whether it says so outright."""
Kinds: TypeAlias = Mapping[str, list[str]]
"""The words of a clause by their kind in the vocabulary; a word may have several kinds."""

_LONGEST_REMARK = 14  # words
_MOST_UNKNOWN = 3  # words
_OF_IT = frozenset({"it", "its", "feel", "feels", "felt", "feeling", "hissediyorum", "hissettim"})
"""An unknown word beside them says how the pain is."""
_OF_ANOTHER = re.compile(r"(?!\w+yd[iu]$)\w+(?:[dt][iu]|yor)(?:lar|ler)?")
"""A Turkish verb in the third person: it may be about somebody else."""
_UNSAID = re.compile(
    r"(?:on|in|at|with|by|from|for|of|over|through|to|only|even|as|under)\b"
    r"|(?:is|am|are|was|were) (?:i|it|we|my|the)\b|(?:do|does|did|can|have|has|had) (?:i|it|we)\b"
)
"""`on a bad day`, `can I …`: circumstances and questions."""
_OWN = frozenset({"my", "the", "a", "an", "benim"})
"""An unknown word after one of these may be another part of the body."""
_NAMED_ANSWER = re.compile(
    r"\b(?:pain|score|rating|level|answer|hips?|legs?|rated?|nrs|vas|out of|id (?:say|give|rate)|i would (?:say"
    r"|rate|give)"
    r"|call it|an? (?:\w+ )?(?:[0-9]+|one|two|three|four|five|six|seven|eight|nine|ten)"
    r"|agri\w*|puan\w*|skor\w*|siddet\w*|seviye\w*|duzey\w*|derece\w*|cevab\w*|yanit\w*|notum|kalcam|bacagim"
    r"|diyorum|diyelim|derim|diyebilirim|veriyorum|uzerinden)\b|/ ?10\b|/on\b|/ten\b"
)
"""What says of the number in its own clause that it is the score. A bare one may count what was just told of."""
_OF_ONESELF = {
    "en": re.compile(
        r"(?:(?:and|but|so|because|cos|even|just) )*(?:(?:i|ive|we|weve|i have|we have) )?"
        r"(?:(?:even|just|only|also|really|barely|hardly) )*(?:had|did|didnt|can|cant|could|couldnt|cannot|went|got"
        r"|came"
        r"|slept|made|managed|overdid|spent|been (?=\w+ \w+)|moved|sat|stood|lay|ran|drove|rode|flew|ate|cooked|had to"
        r"|have to|wont|\w{3,}ed(?= ))\b(?! be\b| have\b|nt be\b).*"
        r"|(?:(?:and|but|so|because|cos) )*(?:im |were )?(?:going|off|looking forward) to\b.*"
        r"|(?:(?:and|but|so|because|cos) )*(?:the|our) (?!rest|other|same|one|first|last|next)\w+(?: \w+)?"
        r" (?:is|are|was|were|has|have|had|got|came|went|broke) \w.*"
    ),
    "tr": re.compile(r".*\b\w+(?:[dt][iu][mk]|yor(?:um|uz))"),
}
"""What somebody says that they did or can do: when, how often and in what position changes no answer."""
_CONDITION = {
    "en": re.compile(
        r"\b(?:when|while|whilst|if|unless|until|till|before|after|during|as|whenever|where|once|at rest|in bed)\b"
        r"|\b(?:was|am|im|were|been) (?:\w+ing|at|in|lying|on)\b(?! my feet)|\b(?:it|that|this|them|one)\b"
    ),
    "tr": re.compile(rf"(?<!\w)(?:{CONDITIONS_TR})(?!\w)|\b(?:o|bu|su|onu|bunu|sonra|once|iken)\b"),
}
"""But not what holds only then, nor what may be about the answer."""
_TAKES_BACK = re.compile(
    r"(?:the|a|an|those|ones?|what|which) (?:\w+ )?(?:i|we|you)\b|.* (?:since|is|are|was|were|has|have|had)$"
    r"|since i\b(?! (?:did|had|over))|agreed$"
    r"|(?:it |its |was |has |is |the |my |pain )*gone\b|.*\b(?:up and down|not me|wasnt me|isnt me)\b"
    r"|(?:i |ive )?(?:had|have|got|feel|felt) (?:nothing|none|no pain)\b"
    r"|(?:.* )?(?:hoped|expected|wanted|wished|aimed|planned|intended)\b"
    r"|(?:i|we|they|you|ive|weve)(?: have| had| ve)? (?!overslept|rested|slept)\w+$"
    r"|(?:ben|biz) (?!uyu|yor|dinlen)\w+$|(?:agrim |agri )?(?:gecti|bitti)\b"
    r"|(?:yok|artik|hic|ama|daha)(?: (?:yok|artik|hic|daha|az|cok))*$"
    r"|(?:.* )?(?:oyle hiss\w+|(?:otur|yat|dinlen|uzan|dur)[iu]yor\w*|ruya\w*|icimden|sandim|keske|zannet\w*"
    r"|saniyor\w*)\b"
    r"|(?:.* )?(?:demedim|demiyorum|diyemem|diyemiyorum|vermiyorum|vermedim|veremem|secmiyorum|secmedim|hissetmiyorum"
    r"|hissetmedim|duymadim|ben degilim|vazgectim|atiyorum|salliyorum)\b"
)
"""`it has gone`, `demedim` take a number back, `the bus I took` and `we ordered` say what it counts."""
_SHORT_TURNS = frozenset(
    {
        "if",
        "or",
        "he",
        "him",
        "his",
        "her",
        "she",
        "who",
        "why",
        "how",
        "mg",
        "ml",
        "am",
        "pm",
        "us",
        "you",
        "not",
        "say",
        "per",
    }
    | {"nor", "any", "kg", "km", "cm", "st", "lb", "lbs", "oz", "o", "bu", "su", "mi", "mu", "tl", "sa", "dk", "ne"}
)
"""The turning words that are too short to be compared with others."""
_LONG = 4
"""The shortest unknown word that is let pass: harmless shorter ones are all in the vocabulary."""
_SHORTEST_NAME = 3
_DIGIT = re.compile("[0-9]")
_WELL = {"en": "better", "tr": "duzeldim"}
_BADLY = {"en": "worse", "tr": "kotulestim"}
_CHANGE = (1, 7)
_FITS: Mapping[tuple[tuple[int, int], Mood], range] = MappingProxyType(
    {
        ((0, 10), ("good", False)): range(7),
        ((0, 10), ("good", True)): range(4),
        ((0, 10), ("bad", False)): range(4, 11),
        ((0, 10), ("bad", True)): range(7, 11),
        **{(_CHANGE, ("good", outright)): range(1, 4) for outright in (False, True)},
        **{(_CHANGE, ("bad", outright)): range(5, 8) for outright in (False, True)},
    }
)
"""The answers that such a remark fits."""
_FOR_A_PERSON = PROXY | OPT_OUT | OPT_OUT_HINTS | WRONG_NUMBER_INSIDE | HALVES
_BREAKS = re.compile(r" ?(?:[;!()\[\]{}]|(?<!\d)[.,]|(?<=\d)[.,](?!\d)|(?<=\w) -+ |(?<=\d)- (?=[a-z]))+ ?")
_NEW_LINE_OR_EMOJI = re.compile("[\n\r\u2600-\u27bf\U0001f300-\U0001f4ae\U0001f4b0-\U0001f51e\U0001f520-\U0001faff]+")
"""`🔟` and `💯` are no ornaments."""
_ORDINAL = re.compile(r"(?<=\d)\.(?=\s+[a-zçğıöşü])")
"""`7. ayda`, `3. kat`: in Turkish a stop after a number makes an ordinal of it, unless a sentence begins."""
_NAMED = re.compile(r"(?<=[a-zçğıöşü] )(?!I\b|Allah|God\b)[A-ZÇĞİÖŞÜ][\w'’]+")
"""A capital inside a sentence: somebody or something that is called so."""
_PLACE = re.compile(
    r"(?:\b(?:in|at|the|from|near|along|around|into|over|across)"
    r"|\b(?:went|go|going|drove|walked|travelled|been|back|off|moved|trip|way|bus|train|flew) to) \w[\w'’]+$"
    r"|['’][dt][ae]$"
)
"""A name after such words is that of a place, not of somebody."""
_JOINED = re.compile(r"(?<=[a-z]) (?=(?:and|but|so) (?:i|ive|im|we|weve|my|it|its)\b)")
"""Where a clause ends without a comma: what one half says must not hide in the other."""
_SIGNS = (DOUBT, "/", "-", '"')
_NIGHT = re.compile("night|gece")
_GREETING = re.compile(r"^(?:morning|afternoon|evening)!")
"""`Morning! 3`: a greeting with this sign only; `morning, 3` may be the score of the morning."""


def fit(moods: Iterable[Mood | None], value: int, low: int, high: int) -> bool:
    """Whether all these fit an answer; on a scale that is not known here nothing fits."""
    return all(mood is None or value in _FITS.get(((low, high), mood), ()) for mood in moods)


def parted(text: str, language: str) -> str:
    """Return a raw text with punctuation in place of new lines and emojis, and without stops that end no sentence."""
    text = _NEW_LINE_OR_EMOJI.sub(" ; ", text)
    text = _NAMED.sub(lambda name: name[0] if _PLACE.search(text, 0, name.end()) else f"{name[0]}{DOUBT}", text)
    return _ORDINAL.sub(" ", text) if language == "tr" else text


def without_remarks(mark: str, language: str) -> tuple[str, list[Mood | None]]:
    """Return a marked text without the clauses that are remarks, and what those say of how somebody is."""
    said = VOCABULARIES[language]
    mark = _opened(language).sub(r"\1, ", mark)
    mark = _before_named(language).sub(r", ", mark)
    mark = re.sub(rf"(?<!\bbir )(?<!\bone )\b({said.closes})\b", r", \1, ", mark)
    mark = re.sub(rf"\b({said.ends}) (?=[0-9]+\b)", r"\1, ", mark)
    mark = _JOINED.sub(", ", mark)
    mark, greeted = _GREETING.subn("", mark)
    kept: list[str] = []
    moods: list[Mood | None] = [None] * greeted
    clauses = _BREAKS.split(mark)
    answers = [place for place, clause in enumerate(clauses) if _answered([clause], language)]
    named = any(_NAMED_ANSWER.search(clauses[place]) for place in answers)
    told = [place for place in range(answers[0] if answers and not named else 0) if plain_of(clauses[place])]
    for place, clause in enumerate(clauses):
        follows = _answered(kept, language) and not _answered(clauses[place + 1 :], language)
        said_after = follows and _pattern(language, "follow").fullmatch(plain_of(clause))
        is_one, mood = (True, None) if said_after else _remark(clause, language)
        counted = mood is None and place in told[-1:] and _measured(clause, language)
        if is_one and not counted:
            moods.append(mood)
        else:
            kept.append(clause)
    return ", ".join(kept), moods


def _answered(clauses: Iterable[str], language: str) -> bool:
    """Whether there is a number in these clauses."""
    return any(word.isdecimal() or word in NUMBERS[language] for said in clauses for word in plain_of(said).split())


@lru_cache
def _opened(language: str) -> re.Pattern[str]:
    """Match an answer after which a remark begins without a comma; `bir çok` and `on gün` are no answers."""
    said = VOCABULARIES[language]
    words = "|".join(word for word in NUMBERS[language] if word not in _NO_ANSWERS)
    return re.compile(rf"\b((?:[0-9]+(?:/10)?|{words})(?:'?(?: ?(?:{said.scored})\b))?) (?=(?:{said.opens})\b)")


@lru_cache
def _before_named(language: str) -> re.Pattern[str]:
    """Match the space where a named answer begins, or what is told after an answer, without a comma."""
    number = rf"(?:[0-9]+|{'|'.join(NUMBERS[language])})"
    ends = "|".join((r"(?<=\d)", *(rf"(?<=\b{word})" for word in NUMBERS[language])))
    if language == "tr":  # the verb ends a clause
        verb = "|".join(
            rf"(?<={ending})" for ending in (r"[dt][iu][mk]", "yor", "yorum", "yoruz", " yok", r"\w\w\w[dt][iu]")
        )
        return re.compile(
            rf"(?:{verb}) (?=(?:agri|agrim|agrilarim|puanim|skorum|cevabim)\b)|(?:{ends}) (?=(?:ama|fakat|cunku) \w)"
        )
    return re.compile(
        r"(?<=\w)(?<!\bwas)(?<!\bis)(?<!\bif)(?<!\bnot) (?=(?:(?:my|the|todays|average|overall) )+"
        r"(?:pain|legs?|hips?|score|answer)(?: (?:score|level|rating))?(?: today)?(?: (?:is|was|has been))?(?: ?[=:])?"
        rf" ?(?:at )?(?:an? )?{number}\b)|(?:{ends}) (?=(?:and|but|so|because|cos) \w)"
    )


def _measured(clause: str, language: str) -> bool:
    """Whether a bare number after this clause may count what it tells of: `walked to town, 7`."""
    said = plain_of(clause)
    if said.endswith("gordum"):  # `şimdi gördüm` is an excuse
        return False
    left = _pattern(language, "phrases").sub("", _pattern(language, "fillers").sub("", said))
    return left == said or any(_is(language, "others").fullmatch(word) for word in said.split())


_FRAMED = frames.words("\n".join(part for said in frames.FRAMES.values() for part in said))
_NO_ANSWERS = frozenset({"bir", "on", "yedi", "alti", "one"})
_NO_REMARK: tuple[bool, Mood | None] = (False, None)


def _remark(clause: str, language: str) -> tuple[bool, Mood | None]:
    """Return whether a clause is a remark, and what it says of how somebody is."""
    if _DIGIT.search(clause):
        return _NO_REMARK
    said = plain_of(clause)
    because = _pattern(language, "reasons").search(said) if " " in said else None
    if because is not None:
        said = f"{said[: because.start()]} {said[because.end() :]}".strip()
    own = _of_oneself(said, language)
    unsaid = _TAKES_BACK.match(said) or (_UNSAID.match(said) and not (own and said.startswith("even ")))
    if unsaid or any(sign in clause for sign in _SIGNS) or contains(said, _FOR_A_PERSON):
        return _NO_REMARK
    said = _pattern(language, "well").sub(_WELL[language], said)
    said = _pattern(language, "badly").sub(_BADLY[language], said)
    rest = _pattern(language, "fillers").sub("", said)
    left = _pattern(language, "phrases").sub("", rest)
    tokens = left.split()
    if because is not None:  # what one did is no circumstance of the number: it explains it
        tokens = [token for token in tokens if not _is(language, "explains").fullmatch(token)]
    if len(tokens) > _LONGEST_REMARK or any(_counts(tokens, at, language) for at in range(len(tokens))):
        return _NO_REMARK
    kinds = {kind: [token for token in tokens if _is(language, kind).fullmatch(token)] for kind in _KINDS}
    unknown = [at for at, token in enumerate(tokens) if not _is(language, "known").fullmatch(token)]
    own = own and not kinds["hurts"]
    if own:
        unknown = [at for at in unknown if not _is(language, "moments").fullmatch(tokens[at])]
    if not (own or _states(kinds, unknown, said)) and left == rest and because is None:
        return _NO_REMARK
    if not _harmless(tokens, unknown, kinds, language, own=own):
        return _NO_REMARK
    if because is None and _circumstances(left, kinds, language):
        return _NO_REMARK
    return _mood(kinds)


def _of_oneself(said: str, language: str) -> bool:
    """Whether a clause says what its writer did or can do, with nothing that may be about the answer."""
    told = " " in said and _OF_ONESELF[language].fullmatch(said) is not None
    return told and _CONDITION[language].search(said) is None


def _states(kinds: Kinds, unknown: list[int], said: str) -> bool:
    """Whether a clause says something: how somebody is, or with a verb what happened."""
    if _felt(kinds):
        return True
    return bool(
        (kinds["says"] or kinds["denied"]) and (_of_the_day(kinds) or kinds["others"] or unknown) and " " in said
    )


def _harmless(tokens: list[str], unknown: list[int], kinds: Kinds, language: str, *, own: bool) -> bool:
    """Whether the unknown words of a clause cannot change the meaning, and it is about nobody and nothing else."""
    complains = bool(kinds["bad"] or kinds["ill"] or kinds["hurts"])
    if len(unknown) > _MOST_UNKNOWN and not own:
        return False
    if unknown and tokens[0] == "not":  # `7 not points`
        return False
    if any(_turns(tokens[at], language, own=own) for at in unknown):
        return False
    if (kinds["hurts"] or kinds["places"]) and (kinds["denied"] or _of_the_day(kinds) or unknown):
        return False
    if kinds["places"] and kinds["changed"]:
        return False
    if complains and (kinds["others"] or any(at == 0 or tokens[at - 1] in _OWN for at in unknown)):
        return False
    if unknown and _OF_IT & {*tokens} and not _of_the_day(kinds):
        return False
    return not any(_of_another(tokens[at], at, language) for at in unknown)


def _of_another(word: str, at: int, language: str) -> bool:
    """Whether an unknown word may name somebody else, or be a verb in the third person."""
    if language == "tr":
        return _OF_ANOTHER.fullmatch(word) is not None
    return at == 0 and not word.endswith("ed")


def _circumstances(left: str, kinds: Kinds, language: str) -> bool:
    """Whether a clause names a time, a place or an activity: the number may hold for that alone."""
    if kinds["activity"] and not kinds["amount"]:
        return True
    if _NIGHT.search(left) and (kinds["hurts"] or not _pattern(language, "sleeping").search(left)):
        return True
    part = "complains" if _felt(kinds) or kinds["denied"] else "being"
    return _pattern(language, part).search(left) is not None


def _felt(kinds: Kinds) -> list[str]:
    return [*kinds["good"], *kinds["bad"], *kinds["ill"], *kinds["hurts"]]


def _of_the_day(kinds: Kinds) -> list[str]:
    return [token for token in (*kinds["everyday"], *kinds["activity"]) if token not in {*kinds["good"], *kinds["bad"]}]


def _mood(kinds: Kinds) -> tuple[bool, Mood | None]:
    """Return what a remark says of how somebody is; `no trouble` is good, `didn't sleep` is bad. No remark if both."""
    good, bad = bool(kinds["good"]), bool(kinds["bad"] or kinds["ill"])
    if kinds["denied"]:
        good, bad = bad, good or not bad
    elif kinds["hurts"] and not good:
        bad = True
    if good and bad:
        return _NO_REMARK
    outright = bool(kinds["ill"]) or not (kinds["changed"] or _of_the_day(kinds) or kinds["hurts"])
    return True, ("good" if good else "bad", outright) if good or bad else None


_KINDS = (
    *("says", "everyday", "others", "activity", "amount"),
    *("denied", "good", "bad", "changed", "ill", "hurts", "places"),
)
_ARTICLES = frozenset({"one", "bir"})
"""A bad one, zor bir gün: after such a word no number."""


@lru_cache
def _is(language: str, kind: str) -> re.Pattern[str]:
    """Return what matches one word of a kind; "known" are all but the many verbs that make a statement."""
    kinds = [kind] if kind != "known" else ["link", *(known for known in _KINDS if known != "says")]
    words = [word for one in kinds for word in getattr(VOCABULARIES[language], one).split()]
    if kind == "known":  # of what is denied by its ending, the verb itself has to be known
        words = [word for word in words if word not in VOCABULARIES[language].denied.split() or "\\" not in word]
    return re.compile("|".join((*words, *(_ARTICLES if kind == "known" else ()))) or "(?!)")


@lru_cache
def _pattern(language: str, part: str) -> re.Pattern[str]:
    """Return what finds one of the phrases of a part in a plain text."""
    said = VOCABULARIES[language]
    parts = "".join(line.strip() for line in getattr(said, part).splitlines())
    parts = parts.replace("_FELT", "|".join(f"{said.good} {said.bad} {said.ill}".split()))
    parts = parts.removeprefix("|")
    return re.compile(rf"\b(?:{parts.replace('_HURTS', '|'.join(said.hurts.split()))})\b")


def _counts(tokens: list[str], at: int, language: str) -> bool:
    """Whether a word of a clause is a number, or may be one with a typing error."""
    token = tokens[at]
    if token in _ARTICLES and at and any(_is(language, kind).fullmatch(tokens[at - 1]) for kind in ("good", "bad")):
        return False
    number = token in NUMBERS[language] or (meant(token, language) is not None)
    return number or any(c.isdigit() for c in token)


@lru_cache
def _turning(language: str) -> tuple[str, ...]:
    """Return the words that change the meaning and are long enough to be compared with unknown words."""
    return tuple(word for word in VOCABULARIES[language].turns.split() if len(word) >= _LONG)


def _turns(word: str, language: str, *, own: bool = False) -> bool:
    """Whether an unknown word may be one that changes the meaning, with an ending or a typing error."""
    turning = _turning(language)
    if own and len(word) < _LONG:
        return word in VOCABULARIES[language].turns.split() or word in _SHORT_TURNS
    return len(word) < _LONG or word.startswith(turning) or any(_near(word, turn) for turn in turning)


def _near(one: str, other: str) -> bool:
    """Whether two words differ by at most one letter (added, missing or replaced), or by two swapped ones."""
    if abs(len(one) - len(other)) > 1:
        return False
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rests = one[same:], other[same:]
    swapped = rests[0][:2] == rests[1][1::-1] and rests[0][2:] == rests[1][2:]
    return swapped or rests[0][1:] in (rests[1][1:], rests[1]) or rests[0] == rests[1][1:]


def unknown(word: str) -> bool:
    """Whether a plain word is none that these rules know in any language: it may be a name."""
    if len(word) < _SHORTEST_NAME or word in _FRAMED or _NIGHT.search(word):
        return False
    return not any(
        _is(language, kind).fullmatch(word) or word in NUMBERS[language] or meant(word, language) is not None
        for language in VOCABULARIES
        for kind in ("known", "says", "turns", "explains")
    ) and not any(_turns(word, language) for language in VOCABULARIES if len(word) >= _LONG)
