"""The words a reply is compared with, per language, as data.

Every phrase is written in its folded form (lower-case, `ş ğ ç ö ü ı` as `s g c o u i`, no
punctuation). Only number words and their frames depend on the participant's language: in every other
list both languages are read always, because people answer in the language of the text in their hand.
Source of the opt-out words: the study's conversation rules; Twilio's default keywords.
"""

import re
from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

NUMBERS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "tr": MappingProxyType(
            {
                "sifir": 0,
                "bir": 1,
                "iki": 2,
                "uc": 3,
                "dort": 4,
                "bes": 5,
                "alti": 6,
                "yedi": 7,
                "sekiz": 8,
                "dokuz": 9,
                "on": 10,
            },
        ),
        "en": MappingProxyType(
            {
                "zero": 0,
                "one": 1,
                "two": 2,
                "three": 3,
                "four": 4,
                "five": 5,
                "six": 6,
                "seven": 7,
                "eight": 8,
                "nine": 9,
                "ten": 10,
            },
        ),
    },
)
"""Number words of each language; an unknown language reads as English."""

HALVES = frozenset({"bucuk", "yarim", "half", "point"})

# -- Around one number ------------------------------------------------------------------------


class Frames(NamedTuple):
    """The phrases of one language that may stand around a number without changing what it says."""

    courtesy: frozenset[str]
    """Around any answer, without a meaning of their own. Never around an opt-out word: that is a sentence."""
    before: frozenset[str]
    after: frozenset[str]
    before_from_zero: frozenset[str]
    after_from_zero: frozenset[str]
    """Words that name what a scale from zero measures: they do not answer a scale from one."""


def _each(*parts: str) -> frozenset[str]:
    """Combine the alternatives of each part, `my pain|the pain`, into phrases; an empty one leaves the part out."""
    return frozenset(" ".join(" ".join(chosen).split()) for chosen in product(*(part.split("|") for part in parts)))


FRAMES: Mapping[str, Frames] = MappingProxyType(
    {
        "tr": Frames(
            courtesy=frozenset(
                {"merhaba", "merhabalar", "mrb", "selam", "selamlar", "slm", "selamun aleykum", "gunaydin"}
                | {"iyi gunler", "iyi gunler dilerim", "iyi aksamlar", "iyi geceler", "iyi calismalar", "iyi haftalar"}
                | {"hayirli gunler", "hayirli aksamlar", "hayirli geceler", "hayirli isler", "kolay gelsin"}
                | {"tesekkurler", "tesekkur", "tsk", "tskler"}
                | _each("tesekkur", "ederim|ediyorum|ederiz")
                | {"cok tesekkurler", "cok tesekkur ederim", "sagolun", "sag olun", "sagol", "sag ol", "cok sagolun"}
                | {"cok sag olun", "eyvallah", "allah razi olsun", "cok sukur", "sukur", "saygilar", "saygilarimla"}
                | {"hurmetler", "lutfen", "efendim", "hocam", "sayin hocam", "doktorum", "sayin doktorum", "doktor bey"}
                | {"doktor hanim", "hemsire hanim", "dr bey", "dr hanim", "doktorcum", "doktorcugum", "hocacim"}
                | {"maalesef", "malesef", "ne yazik ki"},
            ),
            before=frozenset(
                {"evet", "tabii", "tamam", "peki", "benim", "ben", "bence", "bana gore", "benden", "tabi", "cvp"}
                | _each("|benim", "cevap|cevabim|yanit|yanitim|puan|puanim|skor|skorum|seviye|seviyem|derecem|notum")
                | _each("verdigim|verecegim", "puan|cevap|yanit|not")
                | {"ortalama", "ort", "ortalamam", "ortalama olarak", "tam", "tam olarak", "kesinlikle", "sadece"}
                | {"pardon", "kusura bakmayin", "kusura bakma", "ozur dilerim", "duzeltme", "duzeltiyorum"},
            ),
            after=frozenset(
                {"puan", "puandir", "puandi", "idi", "di", "ydi", "ti", "tu", "dir", "tir", "tur", "tabii", "tabi"}
                | {"derim", "diyorum", "diyebilirim", "diyecegim", "olacakti", "yazacaktim"}
                | _each("|olarak", "veriyorum|veririm|verebilirim|verdim|vereyim|verecegim|yaziyorum|yazdim")
                | _each("|olarak", "isaretliyorum|isaretledim|seciyorum|sectim|puanliyorum|belirtiyorum|bildiriyorum")
                | _each("olarak", "degerlendiriyorum|degerlendiririm|soyleyebilirim|puanlarim|puanladim")
                | {"siddetinde", "siddetindeydi", "seviyesinde", "seviyesindeydi", "duzeyinde", "duzeyindeydi"}
                | {"derecesinde", "derecesindeydi"},
            ),
            before_from_zero=frozenset(
                {"agrim", "agri", "agrilarim", "agrima", "agrimi", "agri ortalamam", "siddetim", "siddet"}
                | _each("agri", "puanim|skorum|siddetim|duzeyim|derecem|seviyem")
                | _each("agri|agrimin|", "puani|skoru|siddeti|duzeyi|derecesi|seviyesi|ortalamasi"),
            ),
            after_from_zero=frozenset(
                {"agrim var", "agri var", "agri"}
                | _each("puanlik|siddetinde|seviyesinde|duzeyinde", "agri|agrim", "|var|vardi"),
            ),
        ),
        "en": Frames(
            courtesy=frozenset(
                {"hi", "hi there", "hello", "hello there", "hey", "good morning", "good afternoon", "good evening"}
                | {"good day", "have a nice day", "have a good day", "take care", "god bless", "please", "pls"}
                | {"thanks", "thanks a lot", "thanks so much", "thank you", "thank you so much", "thank you very much"}
                | {"many thanks", "thx", "ty", "cheers", "mate", "sir", "madam", "doctor", "dear doctor", "doc", "dr"}
                | {"regards", "best regards", "kind regards", "unfortunately", "im afraid", "i am afraid"},
            ),
            before=frozenset(
                {"a", "an", "a solid", "yes", "ok", "okay", "exactly", "definitely", "only", "just"}
                | {"i am", "im", "i am at", "im at", "its", "thats", "it averaged", "averaged", "on average", "overall"}
                | _each("it|that", "is|was|would be")
                | _each("i|id|ill|i would|i will", "say|go with|give|give it|rate it|rate it as|score it|put it at")
                | {"rate it", "giving it", "i rated it", "i gave it", "i put", "im giving it", "id be", "i would be"}
                | _each("|the|my", "answer|rating|score|level|average", "|is|was|would be|of|is at|was at")
                | {"a score of", "a rating of", "an average of", "my number is", "sorry", "oops", "correction"}
                | {"i meant", "make that"},
            ),
            after=frozenset(
                {"point", "points", "on average", "overall", "for me", "sorry"}
                | {"id say", "i would say", "is my answer", "is my score", "is my rating", "is my average"},
            ),
            before_from_zero=frozenset(
                {"pains", "my pains", "the pains", "a pain of", "a pain score of", "a pain level of"}
                | _each("|the|my", "|average", "pain", "|score|level|rating", "|is|was|would be|of|is at|was at")
                | _each("i|id|ill|i would", "rate|score|put", "my pain", "|as|at"),
            ),
            after_from_zero=frozenset(
                {"pain", "pain level", "pain score"} | _each("is|was", "my pain", "|score|level|rating"),
            ),
        ),
    },
)
"""A number in digits is read in the frames of every language, a number word in those of its own: `I'm on` is not 10."""

COURTESY = frozenset().union(*(frames.courtesy for frames in FRAMES.values()))
OF_HIGHEST_BEFORE = ("{} uzerinden", "{} ustunden", "{} puan uzerinden", "out of {}")
OF_HIGHEST_AFTER = ("{} uzerinden", "{} ustunden", "bolu {}", "out of {}", "of {}", "over {}")
"""How the item's own highest value is named beside an answer: `10 üzerinden 7`, `7 out of 10`."""

ENDINGS = ("ydi", "di", "du", "ti", "tu", "dir", "tir", "tur")
"""What Turkish glues to a number to say that it is or was: `7'ydi`, `beşti`."""
WITH_ENDING_LIKE_STOP = r"(dokuz|on|9(?=')|10(?='))'?dur"
"""`9'dur` is nine, `9 dur` and `9dur` may mean stop: this ending counts after nine and ten, and marked off."""


def _counting(language: str) -> str:
    """Match the number words that can stand before things one counts."""
    return "|".join(word for word, number in NUMBERS[language].items() if number)


ORDINARY = re.compile(
    rf"\b(?:{_counting('tr')}) +agri"  # iki ağrım var: two pains; on ağrı: ön ağrı, the pain in front
    rf"|\b(?:{_counting('en')}) +pain"
    r"|[0-9] +alti\b|\b(?:ort|ortalama|ortalamasi|tam) +alti\b"  # below 6, below average, right below; `6 (altı)` is 6
    rf"|\bbir +(?:{'|'.join(sorted(FRAMES['tr'].courtesy))})\b|\b(?:ort|ortalama|sadece|tam) +bir\b"
    r"|\b(?:am|i'?m|that'?s|that is|that was|only|just) +one\b|\bone +for\b"  # one of them, or the article
    r"|\bnot at all +(?:0|zero)\b"
    r"|\ban?[^\w ]"  # a) 7
)
"""Where what looks like a number in its frame is something else, in a marked text."""

# -- Full messages ----------------------------------------------------------------------------

OPT_OUT = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke"}
    | {"optout", "opt out", "dur", "durdur", "iptal", "cik", "cikis", "red", "ret"}
    | {"mesaj istemiyorum", "mesaj atmayin"},
)
OPT_OUT_HINTS = frozenset(
    {"mesaj gondermeyin", "mesaj gonderme", "mesaj atma", "durdurun", "iptal et", "iptal edin"}
    | {"listeden cikarin", "stop texting", "dont text", "do not text", "dont message"}
    | {"do not message", "no more messages", "no more texts"},
)
"""Not an opt-out by themselves: a person looks, and automatic texts pause until then."""
OPT_IN = frozenset({"start", "unstop", "basla", "baslat"})
HELP = frozenset(
    {"help", "info", "yardim", "bilgi", "siz kimsiniz", "kimsiniz", "kimsin", "bu kim", "kim bu"}
    | {"who is this", "who are you", "whos this"},
)
WRONG_NUMBER = frozenset(
    {"tanimiyorum", "sizi tanimiyorum", "yanlis kisi", "wrong person", "i dont know you"},
)
WRONG_NUMBER_INSIDE = frozenset({"yanlis numara", "wrong number"})
CALL_ME = frozenset(
    {"beni arayin", "beni ara", "beni arar misiniz", "lutfen beni arayin", "lutfen arayin"}
    | {"ara", "call", "arayin", "arar misiniz", "call me", "please call me"}
    | {"call me please", "please call", "beni arayabilir misiniz", "can you call me", "call me back"},
)
SNOOZE_HOUR = frozenset(
    {"1 saat sonra", "bir saat sonra", "sonra", "daha sonra", "simdi degil", "musait degilim"}
    | {"simdi musait degilim", "su an musait degilim", "later", "not now", "in an hour", "in 1 hour", "1 hour later"}
    | {"in one hour", "an hour later", "one hour later"},
)
SMALL_NUMBERS: Mapping[str, int] = MappingProxyType({**NUMBERS["tr"], **NUMBERS["en"]})
"""In a wish about hours both languages are read."""
_NUMBER = rf"([0-9]{{1,2}}|{'|'.join(SMALL_NUMBERS)})"
_HOURS = r"(?:hours?|hrs?|h)"
IN_HOURS = re.compile(
    rf"{_NUMBER} (?:saat|sa) (?:sonra|sonraya|icinde)(?: (?:yaz|yazin|sor|sorun|cevap veririm|olur))?"
    rf"|{_NUMBER} saate(?: (?:cevap veririm|yazarim))?"
    rf"|(?:ask (?:me )?(?:again )?|text me )?(?:in|after) {_NUMBER} ?{_HOURS}"
    rf"|(?:ask (?:me )?(?:again )?)?{_NUMBER} {_HOURS} (?:later|from now)"
)
"""Full messages that wish to be asked again after so many hours."""
SNOOZE_TONIGHT = frozenset(
    {"aksam", "bu aksam", "aksama", "aksamleyin", "aksam cevap veririm", "tonight", "this evening", "in the evening"},
)
SNOOZE_TOMORROW = frozenset({"yarin", "yarina", "yarin cevap veririm", "tomorrow"})
DECLINE = frozenset(
    {"cevap vermek istemiyorum", "cevaplamak istemiyorum", "yanit vermek istemiyorum"}
    | {"yanitlamak istemiyorum", "cevap vermeyecegim", "atla", "bu soruyu atla", "pas"}
    | {"prefer not to answer", "i prefer not to answer", "i dont want to answer", "skip"}
    | {"i do not want to answer", "id rather not answer", "id rather not say"},
)
YES = frozenset(
    {"evet", "evet dogru", "dogru", "tamam", "olur", "onayliyorum"}
    | {"yes", "yep", "yeah", "ok", "okay", "correct", "yes correct", "thats right"},
)
NO = frozenset({"hayir", "hayir degil", "degil", "no", "nope", "no its not", "not correct"})
ZERO = frozenset(
    {"hic", "yok", "hic yok", "agrim yok", "agri yok", "hic agrim yok", "hic agri yok"}
    | {"agrim hic yok", "hicbir agrim yok", "agrisizim", "agrim kalmadi", "agrim gecti"}
    | {"agrim yok artik", "artik agrim yok", "agrimiyor", "hic agrimiyor", "sifir agri", "zero pain"}
    | {"none", "nothing", "no pain", "no pain at all", "no pain today", "nil", "not at all", "pain free"}
    | {"i have no pain", "im pain free", "i am pain free"},
)

# -- Inside a sentence ------------------------------------------------------------------------

PROXY = frozenset(
    {"annem", "annemin", "babam", "babamin", "esim", "esimin", "kocam", "kocamin", "karim"}
    | {"karimin", "kizim", "kizimin", "oglum", "oglumun", "kardesim", "kardesimin", "ablam"}
    | {"abim", "agabeyim", "dedem", "dedemin", "ninem", "anneannem", "babaannem", "teyzem"}
    | {"halam", "amcam", "dayim", "kayinvalidem", "kayinpederim", "kiziyim", "ogluyum"}
    | {"esiyim", "gelini", "geliniyim", "yakiniyim", "hasta yakini", "hastanin", "adina"}
    | {"anneme", "babama", "esime", "kocama", "karima", "kizima", "ogluma", "doktora gore", "hemsireye gore"}
    | {"annesi", "babasi", "esi", "kocasi", "karisi", "ben oglu", "ben kizi", "torunu", "torunuyum", "damadi"}
    | {"damadiyim", "hastam", "hastamiz", "hastamizin", "refakatcisi", "refakatcisiyim", "bakicisi", "bakicisiyim"}
    | {"agrisi", "diyor", "diyorlar", "dedi", "dediler", "soyluyor", "soyledi"}
    | {"mother", "my mother", "my mothers", "mum", "mums", "mummy", "mom", "moms", "my mam", "my father", "my fathers"}
    | {"dad", "dads", "daddy", "wife", "wifes", "husband", "husbands", "my son", "my sons", "daughter", "daughters"}
    | {"my sister", "my brother", "my aunt", "my uncle", "granny", "grandma", "grandpa", "grandad"}
    | {"grandmother", "grandfather", "carer", "my partner", "on behalf of", "according to my"}
    | {"he says", "she says", "says", "he said", "she said", "they said", "they say", "nurse said", "doctor said"}
    | {"father said", "mother said", "son said", "sister said", "brother said", "partner said"}
    | {
        "he thinks",
        "she thinks",
        "hes a",
        "shes a",
        "he is",
        "she is",
        "his pain",
        "her pain",
        "his score",
        "her score",
    }
    | {"her daughter", "his daughter", "her son", "his son", "the patient"},
)

# -- Machines that answer -----------------------------------------------------------------------

AUTOMATIC_HEADS = frozenset(
    {"otomatik yanit", "otomatik cevap", "otomatik mesaj", "oto yanit", "automatic reply", "automatic response"}
    | {"auto reply", "autoreply", "auto response", "autoresponse", "automated reply", "automated response"}
    | {"out of office", "away message", "vacation reply", "ofis disi yanit"},
)
"""A text that begins so was written by a machine, whatever follows."""
AUTOMATIC_INSIDE = frozenset(
    {"bu otomatik bir mesajdir", "bu otomatik bir yanittir", "bu otomatik bir cevaptir", "bu mesaj otomatik"}
    | {"otomatik olarak gonderilmistir", "otomatik olarak gonderildi", "ofis disindayim", "ofiste degilim"}
    | {"izinde oldugum icin", "su anda arac kullaniyorum", "su an arac kullaniyorum", "araba kullaniyorum"}
    | {"suruste oldugum icin", "rahatsiz etmeyin modu", "this is an automated", "this is an automatic"}
    | {"this message was sent automatically", "automatically generated", "i am out of the office"}
    | {"im out of the office", "out of office", "im driving", "i am driving", "do not reply to this"}
    | {"with do not disturb", "this mailbox is not monitored", "message not monitored", "sent from my car"},
)

# -- Telephones that turn a reaction into a text ----------------------------------------------

TAPBACK_HEADS = frozenset(
    {"liked", "loved", "disliked", "laughed at", "emphasized", "emphasised", "questioned"}
    | {"reacted to", "reacted with to", "to", "removed a like from", "removed a heart from"}
    | {"removed a dislike from", "removed a laugh from", "removed an exclamation from"}
    | {"removed a question mark from", "removed from", "begendi", "begenildi", "begendim"},
)
TAPBACK_TAILS = frozenset(
    {"begendi", "begenmedi", "begenildi", "bayildi", "guldu", "vurguladi", "sorguladi"}
    | {"ifadesini begendi", "iletisini begendi", "mesajini begendi", "tepki verdi"}
    | {"iletisine tepki verdi", "mesajina tepki verdi", "ifadesine bayildi"}
    | {"iletisine bayildi", "ifadesine guldu", "iletisine guldu"},
)
TAPBACK_WHOLE = frozenset({"liked an image", "loved an image", "disliked an image"})
