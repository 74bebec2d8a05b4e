"""The words a reply is compared with, per language, as data.

Every phrase is written in its folded form (lower-case, `ş ğ ç ö ü ı` as `s g c o u i`, no
punctuation). Only number words depend on the participant's language: in every other list both
languages are read always, because people answer in the language of the text in their hand.
Source of the opt-out words: the study's conversation rules; Twilio's default keywords.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

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
"""Full-message number words of each language; an unknown language reads as English."""

HALVES = frozenset({"bucuk", "yarim", "half", "point"})

# -- Around one number ------------------------------------------------------------------------

COURTESY = frozenset(
    {"merhaba", "merhabalar", "mrb", "selam", "slm", "gunaydin", "iyi gunler", "iyi gunler dilerim"}
    | {"iyi aksamlar", "iyi geceler", "kolay gelsin", "tesekkurler", "tesekkur", "tesekkur ederim", "tsk"}
    | {"sagolun", "sag olun", "sagol", "sag ol", "saygilar", "saygilarimla", "lutfen", "efendim", "hocam"}
    | {"selamlar", "cok tesekkurler", "cok tesekkur ederim", "thank you so much", "thank you very much"}
    | {"many thanks", "doktor bey", "doktor hanim", "cok sukur", "hi", "hello", "hey", "good morning", "good evening"}
    | {"please", "pls", "thanks", "thank you", "thx", "ty", "cheers", "sir", "doctor", "best regards"}
    | {"kind regards"},
)
"""Around any answer, without a meaning of their own. Never around an opt-out word: that is a sentence."""
BEFORE = COURTESY | frozenset(
    {"evet", "tabii", "benim", "cevap", "cvp", "cevabim", "yanit", "yanitim", "puan", "puanim", "skor"}
    | {"skorum", "ortalama", "ort", "ben", "pardon", "kusura bakmayin", "yes", "it is", "its", "i am"}
    | {"im", "it is a", "its a", "i am a", "im a", "an", "im at", "i am at", "it was", "it was a"}
    | {
        "id say a",
        "i would say a",
        "average of",
        "i would say",
        "id say",
        "i say",
        "i would give it",
        "id give it",
        "i rate it",
        "rate it",
    }
    | {"answer", "my answer", "my answer is", "score", "my score is", "the score is", "level"}
    | {"average", "on average", "my average is", "sorry", "oops", "correction"},
)
AFTER = COURTESY | frozenset(
    {"puan", "verdim", "puandir", "puan veriyorum", "veriyorum", "veririm", "siddetinde", "derim", "diyorum"}
    | {"idi", "di", "ydi", "ti", "tu", "dir", "tir", "tur", "point", "points", "on average"},
)
"""With the endings that a number takes in the tense of the question; `9'dur` is left out, for `dur` means stop."""
BEFORE_FROM_ZERO = frozenset(
    {"agrim", "agri", "agrilarim", "agri puanim", "agri puani", "agri siddetim", "agri siddeti"}
    | {
        "agri duzeyim",
        "my pain level is",
        "agri derecem",
        "agri seviyem",
        "pain",
        "my pain",
        "my pain is",
        "pain is",
        "pain was",
    }
    | {"my pain was", "my average pain is", "pain score", "pain level", "pain level is"},
)
AFTER_FROM_ZERO = frozenset({"agrim var", "agri var", "agri", "pain"})
"""Words that name what a scale from zero measures: they do not answer a scale from one."""

OUT_OF = frozenset({"out of", "of", "over"})
"""Between a value and the highest value: `7 out of 10`."""
HIGHEST_FIRST = frozenset({"uzerinden", "ustunden"})
"""Between the highest value and a value: `10 üzerinden 7`."""

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
    | {"agrisi", "diyor", "soyluyor", "my mother", "my mom", "my mum", "my father", "my dad"}
    | {"my wife", "my husband", "my son", "my daughter", "my sister", "my brother", "my aunt"}
    | {"my uncle", "my grandmother", "my grandfather", "on behalf of", "he says", "she says"}
    | {"his pain", "her pain", "says", "the patient"},
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
