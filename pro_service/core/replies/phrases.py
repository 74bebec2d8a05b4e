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

from pro_service.core.case import Part

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

NOT_SLIPS = frozenset({"there", "tree", "thee", "seen", "sven", "teen", "foru", "atli", "siir"})
"""Ordinary words and names that a slip of the finger would make of a number word (see `slips`)."""

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
    mild: frozenset[str]
    moderate: frozenset[str]
    severe: frozenset[str]
    """Descriptions, before or after a number that they fit. Beside another number they are a reason to ask."""


def _each(*parts: str) -> frozenset[str]:
    """Combine the alternatives of each part, `my pain|the pain`, into phrases; an empty one leaves the part out."""
    return frozenset(" ".join(" ".join(chosen).split()) for chosen in product(*(part.split("|") for part in parts)))


_PARTS = (
    "kalcam|kalca|bacagim|bacak|kalcam bacagim|kalcam ve bacagim|kalca bacak|kalca ve bacak|"
    "kaba etim|popom|bacaklarim|kalcalarim"
)
"""What the shipped question names, both sides together: of `sol bacağım 7` nobody knows what the other side does."""
_TOLERABLE_TR = frozenset({"fena degil", "idare eder", "idare ediyorum", "dayanilir", "dayaniliyor", "katlanilir"})
_TOLERABLE_EN = frozenset({"not bad", "not too bad", "not bad at all", "not so bad", "manageable", "bearable"})
ADDRESSED = frozenset({"kizim", "oglum", "kardesim", "abim", "ablam", "guzel kizim", "canim kizim", "kizim benim"})
"""Said to the one who asks, at the end: `beş veriyorum kızım`. At the beginning it may be who answers: `kızım 5`."""

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
                | {
                    "maalesef",
                    "malesef",
                    "ne yazik ki",
                    "valla",
                    "vallahi",
                    "vallaha",
                    "inanin",
                    "inan",
                    "inan ki",
                    "yani",
                }
                | {"elhamdulillah", "hamdolsun", "cok sukurler olsun", "sukurler olsun", "allaha sukur", "canim"}
                | {"evladim", "yavrum", "abi", "abicim", "abla", "ablacim", "kardes", "hemsirem", "hemsire bey"}
                | _each("doktor|hemsire|dr", "hanim kizim|bey oglum|bey evladim")
                | _each("sayin|sn", "doktor|hocam|doktor bey|doktor hanim|hemsire hanim"),
            ),
            before=frozenset(
                {"evet", "tabii", "tamam", "peki", "benim", "ben", "bence", "bana gore", "benden", "tabi", "cvp"}
                | _each("|benim", "cevap|cevabim|yanit|yanitim|puan|puanim|skor|skorum|seviye|seviyem|derecem|notum")
                | _each("verdigim|verecegim", "puan|cevap|yanit|not")
                | {"ortalama", "ort", "ortalamam", "ortalama olarak", "tam", "tam olarak", "kesinlikle", "sadece"}
                | {"pardon", "kusura bakmayin", "kusura bakma", "ozur dilerim", "duzeltme", "duzeltiyorum"}
                | {"net", "yine", "gene", "hala", "halen", "ayni", "yine ayni"},
            ),
            after=frozenset(
                {"puan", "puandir", "puandi", "idi", "di", "ydi", "ti", "tu", "dir", "tir", "tur", "tabii", "tabi"}
                | {"derim", "diyorum", "diyebilirim", "diyecegim", "olacakti", "yazacaktim"}
                | _each("|olarak", "veriyorum|veririm|verebilirim|verdim|vereyim|verecegim|yaziyorum|yazdim")
                | _each("|olarak", "isaretliyorum|isaretledim|seciyorum|sectim|puanliyorum|belirtiyorum|bildiriyorum")
                | _each("olarak", "degerlendiriyorum|degerlendiririm|soyleyebilirim|puanlarim|puanladim")
                | {"siddetinde", "siddetindeydi", "seviyesinde", "seviyesindeydi", "duzeyinde", "duzeyindeydi"}
                | _each("siddetindedir|seviyesindedir|duzeyindedir|derecesinde|derecesindeydi|derecesindedir")
                | {"puanlik", "diyelim", "diyeyim", "olsun", "yine", "gene", "ayni", "kesin", "kesinlikle", "net"}
                | _each("|olarak", "yazin|yazabilirsiniz|kaydedin|not edin|not alin|isaretleyin|kabul edin")
                | ADDRESSED
                | {"doktor", "hemsire"},
            ),
            before_from_zero=frozenset(
                {"agrim", "agri", "agrilarim", "agrima", "agrimi", "agri ortalamam", "siddetim", "siddet"}
                | _each("agri", "puanim|skorum|siddetim|duzeyim|derecem|seviyem")
                | _each("agri|agrimin|", "puani|skoru|siddeti|duzeyi|derecesi|seviyesi|ortalamasi")
                | {
                    "agri durumum",
                    "agri durumu",
                    "bugun",
                    "bu gun",
                    "bugunku",
                    "bugun icin",
                    "bugunluk",
                    "vas",
                    "nrs",
                    "degismedi",
                }
                | _each(
                    "kizim|oglum|kardesim", "|benim", "agrim|puanim|agri puanim|cevabim"
                )  # not `kızım 5`: says she?
                | _each(_PARTS, "|agrim|agri|agrisi|agrilarim")
                | _each("kalcamin|bacagimin|kalcamdaki|bacagimdaki", "agrisi|agri|agrim"),
            ),
            after_from_zero=frozenset(
                {"agrim var", "agri var", "agri", "bugun", "bugun icin", "hissediyorum", "hissettim", "degismedi"}
                | _each("puanlik|siddetinde|seviyesinde|duzeyinde", "|bir", "agri|agrim|agriydi", "|var|vardi"),
            ),
            mild=frozenset(
                _each("|bayagi|gayet|cok", "iyi|iyiyim|iyiydi|iyiydim|rahatim|hafif|hafifti")
                | {"super", "harika"}
                | _TOLERABLE_TR,
            ),
            moderate=frozenset(_each("orta", "|siddette|siddetli|duzeyde|seviyede|derecede") | _TOLERABLE_TR),
            severe=frozenset(
                _each(
                    "|cok|cok cok|gercekten|bayagi|asiri|cok fazla",
                    "kotu|kotuydu|kotuyum|kotuydum|siddetli|siddetliydi|agrim var|agrim vardi",
                )
                | _each("cok|cok cok|bayagi|asiri|cok fazla", "agriyor|agridi|agriyordu|zordu|zorlandim")
                | {"dayanilmaz", "dayanilmazdi", "dayanamiyorum", "dayanamadim", "berbat", "felaket"}
                | {"berbatti", "felaketti", "berbatim", "korkunc", "korkunctu", "rezalet", "perisanim", "mahvoldum"}
                | {
                    "uyuyamadim",
                    "hic uyuyamadim",
                    "uyuyamiyorum",
                    "dayanamiyorum artik",
                    "fena",
                    "iyi degilim",
                    "hic iyi degilim",
                    "cok aci",
                },
            ),
        ),
        "en": Frames(
            courtesy=frozenset(
                {"hi", "hi there", "hello", "hello there", "hey", "good morning", "good afternoon", "good evening"}
                | {"good day", "have a nice day", "have a good day", "take care", "god bless", "please", "pls"}
                | {"thanks", "thanks a lot", "thanks so much", "thank you", "thank you so much", "thank you very much"}
                | {"many thanks", "thx", "ty", "cheers", "mate", "sir", "madam", "doctor", "dear doctor", "doc", "dr"}
                | {
                    "regards",
                    "best regards",
                    "kind regards",
                    "unfortunately",
                    "im afraid",
                    "i am afraid",
                    "warm regards",
                }
                | {"best wishes", "thank god", "thank goodness", "thankfully", "luckily", "sadly", "honestly", "tbh"}
                | {"to be honest", "im sorry to say", "sorry to say", "dear nurse", "maam", "hi all", "ta"},
            ),
            before=frozenset(
                {"a", "an", "a solid", "yes", "ok", "okay", "exactly", "definitely", "only", "just"}
                | {"i am", "im", "i am at", "im at", "its", "thats", "it averaged", "averaged", "on average", "overall"}
                | _each("it|that", "is|was|would be")
                | _each("i|id|ill|i would|i will", "say|go with|give|give it|rate it|rate it as|score it|put it at")
                | {"rate it", "giving it", "i rated it", "i gave it", "i put", "im giving it", "id be", "i would be"}
                | _each("|the|my", "answer|ans|rating|score|level|average", "|is|was|would be|of|is at|was at")
                | {"a score of", "a rating of", "an average of", "my number is", "sorry", "oops", "correction"}
                | {
                    "i meant",
                    "make it",
                    "id have to say",
                    "i have to say",
                    "it has to be",
                    "has to be",
                    "rate it at",
                    "make that",
                    "solid",
                    "full",
                    "a full",
                    "still",
                    "still at a",
                    "still at an",
                    "again",
                    "same",
                    "the same",
                }
                | _each("|im|i am", "going with|gonna say|going to say|gonna go with|going to go with")
                | {"its been", "it has been", "lets say", "lets go with", "call it", "lets call it", "number is"}
                | _each("|please", "put|put down|mark it as")
                | _each("|please", "put me down for|put me down as|mark me as", "a|an")
                | _each("please", "mark|record|write")
                | {"the number is", "a very solid"},
            ),
            after=frozenset(
                {
                    "point",
                    "points",
                    "pt",
                    "pts",
                    "on average",
                    "overall",
                    "for me",
                    "from me",
                    "it is",
                    "sorry",
                    "again",
                    "still",
                }
                | {"nurse", "love", "dear"}
                | {"id say", "i would say", "is my answer", "is my score", "is my rating", "is my average"},
            ),
            before_from_zero=frozenset(
                {"pains", "my pains", "the pains", "a pain of", "a pain score of", "a pain level of"}
                | _each("|the|my", "|average", "pain", "|score|level|rating", "|is|was|would be|of|is at|was at")
                | _each("i|id|ill|i would", "rate|score|put", "my pain", "|as|at")
                | {"today", "for today", "todays a", "todays", "today is a", "today was a", "no change", "unchanged"}
                | _each("todays|todays average", "pain|score|answer|level|rating", "|is|was")
                | _each("my|the|", "pain|score|answer|level|rating|pain score|pain level", "today", "|is|was")
                | _each("|the|my|a", "pain", "scale|number", "|is|was")
                | _each(
                    "|my|the",
                    "hip|hips|leg|legs|buttock|bum|hip and leg|leg and hip|buttock and leg",
                    "|pain",
                    "|is|was|is at|was at",
                ),
            ),
            after_from_zero=frozenset(
                {"pain", "pain level", "pain score", "today", "for today", "on the pain scale", "on the scale"}
                | _each("is|was", "my pain", "|score|level|rating", "|today"),
            ),
            mild=frozenset(
                {
                    "mild",
                    "very mild",
                    "feeling good",
                    "feeling great",
                    "feeling fine",
                    "all good",
                    "much better",
                    "im fine",
                }
                | {
                    "im good",
                    "im ok",
                    "feeling much better",
                    "no complaints",
                    "pretty good",
                    "very good",
                    "nice and low",
                }
                | _TOLERABLE_EN,
            ),
            moderate=frozenset(
                {"moderate", "medium", "manageable", "bearable", "tolerable", "moderate pain"} | _TOLERABLE_EN
            ),
            severe=frozenset(
                _each(
                    "|it was|it is|its|was|im in|really|very|really really|pretty|so|absolutely|quite",
                    "bad|painful|sore|terrible|awful|horrible|severe|unbearable|excruciating|agony",
                )
                | _each("it|", "hurts|hurt|is hurting", "a lot|badly|so much|very much|like hell")
                | _each("|i", "couldnt|could not|cant|cannot", "|even", "sleep|bear it|stand it")
                | {
                    "not good",
                    "not great",
                    "severe pain",
                    "a lot of pain",
                    "in a lot of pain",
                    "in agony",
                    "very bad pain",
                },
            ),
        ),
    },
)
"""A number in digits is read in the frames of every language, a number word in those of its own: `I'm on` is not 10."""

COURTESY = frozenset().union(*(frames.courtesy for frames in FRAMES.values()))
OF_HIGHEST_BEFORE = ("{} uzerinden", "{} ustunden", "{} puan uzerinden", "out of {}", "outta {}")
OF_HIGHEST_AFTER = (
    "{} uzerinden",
    "{} ustunden",
    "bolu {}",
    "out of {}",
    "of {}",
    "over {}",
    "outta {}",
    "out of a possible {}",
)
OF_SCALE_FROM_ZERO = ("on a scale of 0 to {}", "on a scale from 0 to {}", "on the 0 to {} scale")
"""How the item's own highest value is named beside an answer: `10 üzerinden 7`, `7 out of 10`."""

AS_SIZE = "l[iu]k"
"""The ending that makes a size of a number: `6lık`, `4'lük bir ağrı`. `birlik` is a word of its own."""
ENDINGS = ("ydi", "di", "du", "ti", "tu", "dir", "tir", "tur")
"""What Turkish glues to a number to say that it is or was: `7'ydi`, `beşti`."""
WITH_ENDING_LIKE_STOP = r"(dokuz|on|9(?=')|10(?='))'?dur"
"""`9'dur` is nine, `9 dur` and `9dur` may mean stop: this ending counts after nine and ten, and marked off."""


_CHILDREN = "|".join(sorted({*ADDRESSED, "evladim", "yavrum", "abi", "abla", "kardes", "doktor", "hemsire"}))
_MILD_TR = "|".join(sorted(FRAMES["tr"].mild))
_MILD_EN = "|".join(sorted(FRAMES["en"].mild))
_SEVERE_TR = "|".join(sorted(FRAMES["tr"].severe))
_DESCRIBED_TR = "|".join(sorted(FRAMES["tr"].mild | FRAMES["tr"].moderate | FRAMES["tr"].severe))


def _counting(language: str) -> str:
    """Match the number words that can stand before things one counts."""
    return "|".join(word for word, number in NUMBERS[language].items() if number)


ORDINARY = re.compile(
    rf"\b(?:{_counting('tr')}) +agri"  # iki ağrım var: two pains; on ağrı: ön ağrı, the pain in front
    rf"|\b(?:{_counting('en')}) +pain"
    r"|[0-9] +alti\b|\b(?:ort|ortalama|ortalamasi|tam) +alti\b"  # below 6, below average, right below; `6 (altı)` is 6
    rf"|\bbir +(?:{'|'.join(sorted(FRAMES['tr'].courtesy))})\b"
    r"|\b(?:ort|ortalama|sadece|tam|yine|gene|hala|ayni|net|bugun) +bir\b"
    r"|\bpuan +(?:iyi|kotu)|\bpoints? +(?:much +)?(?:better|worse)"  # so many points better
    r"|\b(?:am|i'?m|that'?s|that is|that was|only|just|still|same|again|today|put|solid) +one\b"  # one of them
    r"|\b(?:full|bum|change|unchanged|same) +(?:one|two)\b"
    r"|\bone +(?:today|again|still|love|dear|from|it)\b|\b(?:two|three|four) +dear\b"
    r"|\bort\w* +(?:bugun +)?alti\b|\btam +bugun +alti\b"  # below the middle
    r"|\bbir +(?:bugun|hissed|hisset|not|yaz|ayni|net|kesin|olsun)|\b(?:bugunluk|icin|canim|yavrum) +bir\b"
    r"|\bone +for\b"  # the article
    r"|\bnot at all +(?:0|zero)\b"
    r"|\ban?[^\w ]"  # a) 7
    rf"|\b(?:{_PARTS}) +(?:alti|on)\b"  # below the hip; ASCII for the front of the leg
    rf"|\b(?:[0-9]+|{_counting('tr')}) +(?:{_DESCRIBED_TR}) +agri"  # three light pains
    r"|\b(?:hip|leg|buttock)s? +(?:one|two)\b"
    rf"|\b(?:bir|iki|uc|dort) +(?:{_CHILDREN})\b"  # my two daughters
    rf"|\bbir +(?:{_MILD_TR})\b|\b(?:{_MILD_TR}) +bir\b"  # a light …
    rf"|\bone +(?:{_MILD_EN})\b|\b(?:{_MILD_EN}) +one\b"
    rf"|\bon +(?:{_SEVERE_TR})\b"  # ASCII for: the front hurts a lot
)
"""Where what looks like a number in its frame is something else, in a marked text."""

# -- Full messages ----------------------------------------------------------------------------

OPT_OUT = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke"}
    | {"optout", "opt out", "dur", "durdur", "iptal", "cik", "cikis", "red", "ret"}
    | {"mesaj istemiyorum", "mesaj atmayin"},
)
OPT_OUT_DEMANDS = frozenset(
    _each(
        "|artik|bir daha|artik bir daha",
        "|bana|bana bir daha",
        "mesaj|sms|bu mesajlari|mesajlari",
        "atmayin|atma|atmayiniz|gondermeyin|gonderme|gondermeyiniz|yollamayin|istemiyorum|almak istemiyorum",
        "|artik",
    )
    | _each("|artik|bir daha", "bana", "|bir daha|artik", "yazmayin")
    | _each("|bu|artik|artik bu", "mesajlari", "durdurun|durdur|kesin|iptal edin|iptal et")
    | _each("|bana", "|mesaj|sms", "gondermeyi|atmayi", "birakin|kesin|durdurun")
    | _each("|beni", "listeden|listenizden|bu listeden", "cikarin|cikarin beni|silin")
    | _each("stop", "texting|messaging|contacting", "|me", "|now|again|anymore|any more")
    | _each("stop", "|sending", "|me", "|the|these|your|any|any more|all", "texts|messages|sms")
    | _each("dont|do not|never", "text|message|contact", "me", "|again|anymore|any more|ever again")
    | _each("dont|do not", "send me", "|any|any more|more|these", "texts|messages")
    | _each("no more", "texts|messages|texts to me")
    | _each(
        "|i",
        "dont|do not",
        "want",
        "|any|any more|these|your|to get|to receive",
        "|any|more|these|your",
        "texts|messages",
    )
    | _each("take me off|remove me from", "|the|your|this", "list")
    | {
        "unsubscribe",
        "unsubscribe me",
        "opt me out",
        "yazmayin",
        "artik yazmayin",
        "yazmayin artik",
        "i want to unsubscribe",
        "i want to opt out",
    },
)
"""As a whole message, with courtesies or without: they name the texts, so that nothing else can be meant."""
OPT_OUT_HINTS = frozenset(
    {"mesaj gondermeyin", "mesaj gonderme", "mesaj atma", "durdurun", "iptal et", "iptal edin"}
    | {"listeden cikarin", "stop texting", "dont text", "do not text", "dont message"}
    | {"do not message", "no more messages", "no more texts", "sms atmayin", "mesaj yollamayin"}
    | _each("calismadan|arastirmadan|calismayi|arastirmayi", "ayrilmak|cikmak|birakmak", "istiyorum")
    | _each("withdraw from|leave|drop out of|pull out of", "the|this|your", "study|trial|research")
    | {"katilmak istemiyorum", "i want to withdraw", "i withdraw", "id like to withdraw"},
)
"""Not an opt-out by themselves: a person looks, and automatic texts pause until then."""
OPT_IN = frozenset({"start", "unstop", "basla", "baslat"})
HELP = frozenset(
    {"help", "info", "yardim", "bilgi", "siz kimsiniz", "kimsiniz", "kimsin", "bu kim", "kim bu"}
    | {"who is this", "who are you", "whos this", "kimsiniz siz", "bana yardim edin", "bu numara kimin", "help me"}
    | _each("|bu|bu mesaj|bu mesajlar", "ne|nedir|ne icin|neyin nesi") - {"ne"}
    | {
        "kiminle gorusuyorum",
        "who am i talking to",
        "who is it",
        "who is texting me",
        "whos texting me",
        "who sent this",
    }
    | _each("what is|whats", "this", "|about|for"),
)
WRONG_NUMBER = frozenset(
    {"tanimiyorum", "sizi tanimiyorum", "yanlis kisi", "wrong person", "i dont know you", "ben o degilim"}
    | {"ben o kisi degilim", "im not the person youre looking for", "i am not the person you are looking for"}
    | {"not the person youre looking for", "this isnt my study", "this is not me", "its not me"}
    | _each("bu numara|bu telefon", "ona|o kisiye", "ait degil"),
)
WRONG_NUMBER_INSIDE = frozenset(
    {"yanlis numara", "wrong number", "wrong no"}
    | _each(
        "yanlis",
        "kisiye|numaraya",
        "|mesaj",
        "yazdiniz|yaziyorsunuz|atiyorsunuz|attiniz|gonderdiniz|gonderiyorsunuz|ulastiniz",
    )
    | _each("you have|youve|youve got|you got", "|texted|messaged|contacted|reached", "the wrong", "person|phone")
    | _each("youre|you are|keep", "texting|messaging|contacting", "the wrong", "person|phone")
    | {"aradiginiz kisi ben degilim", "aradiginiz kisi degilim"},
)
_CALL_TR = (
    "arayin|arayiniz|arar misiniz|arar misin|ararmisiniz|arayabilir misiniz|arayabilirmisiniz|arasinlar"
    "|arayabilirseniz sevinirim|ararsaniz sevinirim|telefon edin|telefon acin"
)
_CALL_EN = "call me|ring me|phone me|telephone me|give me a call|give me a ring"
_ASK_EN = (
    "|can you|could you|would you|will you|can someone|could someone|can somebody|could somebody"
    "|can the nurse|can the doctor|can a nurse|please can you|please could you"
)
CALL_ME = frozenset(
    {"beni arayin", "beni ara", "beni arar misiniz", "lutfen beni arayin", "lutfen arayin"}
    | {"ara", "call", "arayin", "arar misiniz", "call me", "please call me"}
    | {"call me please", "please call", "beni arayabilir misiniz", "can you call me", "call me back"}
    | _each("|beni|bana", "|hemen|geri|telefonla|bugun|bir", _CALL_TR)
    | _each("hemen", "beni", "arayin|arar misiniz")
    | {"arar misiniz beni", "arayin beni"}
    | _each(
        "doktorla|doktorumla|hemsireyle|biriyle|birisiyle|sizinle|hocamla", "gorusmek|konusmak", "istiyorum|isterim"
    )
    | _each(_ASK_EN, "|please", _CALL_EN, "|back", "|please|now|today|later|when you can|as soon as possible|asap")
    | _each(
        "i need|i want|id like|i would like",
        "to talk to|to speak to|to speak with",
        "someone|somebody|a doctor|the doctor|my doctor|a nurse|the nurse|a person|you",
    ),
)
"""A wish to be called, at whatever time."""
CALL_AT = CALL_ME | frozenset(
    _each(
        "|beni|bana|lutfen|lutfen beni|beni lutfen|siz beni|siz",
        "|hemen|geri|telefonla|bir",
        _CALL_TR + "|ara|arasin|ararsaniz|ararsan|ararsiniz|arasaniz|arayabilirsiniz|arayabilirsin|arayabilirseniz"
        "|ararsaniz iyi olur|ararsaniz olur|ararsaniz memnun olurum|ararsaniz konusuruz|ararsaniz musaitim"
        "|arayabilirseniz iyi olur|arayabilirseniz memnun olurum|arasaniz iyi olur|arasaniz olur mu|arasaniz sevinirim"
        "|aramanizi rica ederim|aramanizi isterim|aramanizi istiyorum|aramaniz mumkun mu",
    )
    | _each("ara|arayin|arayabilirsiniz|ararsaniz|arar misin|arasin|arasinlar", "beni")
    | _each("musaitim|uygunum|evdeyim", "|beni", "arayin|arayabilirsiniz|arar misiniz|ararsaniz")
    | {"aranmak istiyorum", "aranmak isterim", "telefonla konusalim", "telefonla goruselim"}
    | _each(f"{_ASK_EN}|you can|you could|best to|better to", "|please", _CALL_EN, "|back", "|please|if you can")
    | _each("|please", "call|ring|phone|telephone")
    | _each("i need|i want|i prefer|id like|i would like|id prefer", "a call|to be called|a phone call|a call back"),
)
"""What is such a wish together with a time: without one, `ararsanız` alone says too little."""


def _times(*groups: frozenset[str]) -> Mapping[str, tuple[Part | None, bool]]:
    """Give every named time its part of the day (the last group has none), and whether it is tomorrow's."""
    parts: tuple[Part | None, ...] = ("morning", "afternoon", "evening", None)
    named = {phrase: part for part, group in zip(parts, groups, strict=True) for phrase in group}
    tomorrow = {"yarin", "yarina", "tomorrow"}
    return MappingProxyType({phrase: (part, bool(tomorrow & {*phrase.split()})) for phrase, part in named.items()})


_DAYS_TR = "|bugun|yarin"
CALL_TIMES = _times(
    _each(_DAYS_TR + "|bu", "sabah|sabahleyin|sabahtan|sabah saatlerinde|ogleden once")
    | _each("in the morning|before noon", "|tomorrow")
    | _each("tomorrow", "morning|in the morning|before noon")
    | {"this morning"},
    _each(
        _DAYS_TR + "|bu",
        "ogle|oglen|ogleyin|oglene|ogle arasi|ogle arasinda|ogle vakti|ogle saatlerinde|ogleden sonra",
    )
    | _each("|tomorrow", "at noon|around noon|at midday|around midday|at lunchtime|at lunch time|around lunchtime")
    | _each("in the|this|tomorrow|early in the|in the early", "afternoon")
    | {"after lunch", "in the afternoon tomorrow", "tomorrow in the afternoon"},
    _each(_DAYS_TR + "|bu", "aksam|aksama|aksamleyin|aksamustu|aksam ustu|aksam uzeri|aksam saatlerinde|aksama dogru")
    | _each("in the|this|tomorrow|early in the|in the early", "evening")
    | _each("late in the|in the late|this late|towards the|tomorrow late in the", "afternoon|evening")
    | {"tonight", "tomorrow night", "later tonight", "in the evening tomorrow", "tomorrow in the evening"},
    frozenset({"yarin", "yarina", "yarin gun icinde", "tomorrow", "sometime tomorrow", "any time tomorrow"}),
)
"""When somebody wishes to be called -> (part of the day, tomorrow or later)."""
_WILL_ANSWER_TR = (
    "|cevap veririm|cevap vereyim|cevap verecegim|cevaplarim|cevaplayayim|cevaplayacagim|yanitlarim|yanitlayacagim"
    "|yazarim|yazayim|yazacagim|bakarim|donerim|olur|yaz|yazin|sor|sorun|tekrar sorun|tekrar yazin|sorar misiniz"
    "|yazar misiniz|tekrar sorar misiniz|hatirlatin|olsun"
)
_WILL_ANSWER_EN = (
    "|maybe|ask|ask me|ask again|ask me again|text me|message me|remind me|try|try me|try again|can you ask me"
    "|could you ask me|can i answer|can i do it|can i do this|let me answer|ill answer|i will answer|ill reply"
    "|i will reply|ill do it|ill do this|i will do it|ill let you know|ill text you|ill text"
)
"""Around a time: who wants to be asked then, and who will answer then."""
SNOOZE_HOUR = frozenset(
    {"1 saat sonra", "bir saat sonra", "sonra", "daha sonra", "simdi degil", "musait degilim"}
    | {"simdi musait degilim", "su an musait degilim", "later", "not now", "in an hour", "in 1 hour", "1 hour later"}
    | {"in one hour", "an hour later", "one hour later"}
    | _each(
        "sonra|daha sonra|biraz sonra|birazdan|az sonra|bir saate|1 saate|bir saat sonra|1 saat sonra", _WILL_ANSWER_TR
    )
    | _each("yarim saat", "sonra", _WILL_ANSWER_TR)
    | _each(
        "|simdi|su an|su anda",
        "musait degilim|mesgulum|olmaz|isim var|bakamiyorum",
        "|sonra yazarim|sonra cevap veririm",
    )
    | _each(
        _WILL_ANSWER_EN,
        "later|later on|a bit later|in a bit|in a while|in an hour|in 1 hour|in one hour|in half an hour",
    )
    | _each("|im|i am", "busy", "|now|right now|at the moment", "|later|ask me later|text me later")
    | _each("not", "right now|at the moment|just now")
    | _each("|i", "cant|cannot", "answer|talk|reply|text", "now|right now|at the moment"),
)
SMALL_NUMBERS: Mapping[str, int] = MappingProxyType({**NUMBERS["tr"], **NUMBERS["en"]})
"""In a wish about hours both languages are read."""
_NUMBER = rf"([0-9]{{1,2}}|{'|'.join(SMALL_NUMBERS)})"
_HOURS = r"(?:hours?|hrs?|h)"
IN_HOURS = re.compile(
    rf"{_NUMBER} (?:(?:saat|sa) (?:sonra|sonraya|icinde)|saate)(?: (?:{_WILL_ANSWER_TR[1:]}))?"
    rf"|(?:(?:{_WILL_ANSWER_EN[1:]}) )?(?:(?:in|after) {_NUMBER} ?{_HOURS}|{_NUMBER} {_HOURS} (?:later|from now))"
)
"""Full messages that wish to be asked again after so many hours."""
SNOOZE_TONIGHT = frozenset(
    _each("aksam|bu aksam|aksama|aksamleyin|aksam ustu", _WILL_ANSWER_TR)
    | _each(_WILL_ANSWER_EN, "|later", "tonight|this evening|in the evening"),
)
SNOOZE_TOMORROW = frozenset(
    _each("yarin|yarina|yarin sabah", _WILL_ANSWER_TR) | _each(_WILL_ANSWER_EN, "tomorrow|tomorrow morning"),
)
_ANSWER = "answer|say|respond|reply|answer to"
_THIS = "|this|that|it|this one|that one|this question|that question|the question|today"
DECLINE = frozenset(
    {"cevap vermek istemiyorum", "cevaplamak istemiyorum", "yanit vermek istemiyorum"}
    | {"yanitlamak istemiyorum", "cevap vermeyecegim", "atla", "bu soruyu atla", "pas"}
    | {"prefer not to answer", "i prefer not to answer", "i dont want to answer", "skip"}
    | {"i do not want to answer", "id rather not answer", "id rather not say", "i decline", "no comment"}
    | _each(
        "|bu soruya|bu soruyu|soruya|soruyu|buna|bunu",
        "cevap vermek|yanit vermek|cevaplamak|yanitlamak|soylemek",
        "istemiyorum|istemem|istemezdim",
    )
    | _each(
        "|bu soruya|bu soruyu|soruya|buna", "cevap vermeyecegim|cevaplamayacagim|yanit vermeyecegim|yanitlamayacagim"
    )
    | _each("bu soruyu|soruyu|bunu", "gec|gecin|gecelim|atlayin|atlayalim|atlamak istiyorum|gecmek istiyorum")
    | _each("|id|i would|i|i had", "rather|prefer|would prefer", "not to|not", _ANSWER, _THIS)
    | _each("id|i would", "prefer not to", _ANSWER, _THIS)
    | _each(
        "|i", "dont want to|dont wanna|do not want to|wont|will not|decline to|refuse to|dont wish to", _ANSWER, _THIS
    )
    | _each("skip", "it|this|that|this one|that one|this question|that question|the question")
    | {
        "pas geciyorum",
        "bu soruyu pas geciyorum",
        "cevap vermiyorum",
        "pass",
        "next question",
        "i pass",
        "ill pass",
        "ill skip this one",
        "ill skip this",
    },
)
YES = frozenset(
    {"evet", "evet dogru", "dogru", "tamam", "olur", "onayliyorum"}
    | {"yes", "yep", "yeah", "ok", "okay", "correct", "yes correct", "thats right", "thats correct", "yes thats right"}
    | {
        "yup",
        "sure",
        "absolutely",
        "of course",
        "yes yes",
        "aynen",
        "aynen oyle",
        "tabii",
        "tabi",
        "tabii ki",
        "tabi ki",
    }
    | {"elbette", "evet evet", "evet oyle", "evet aynen"},
)
NO = frozenset(
    {"hayir", "hayir degil", "degil", "no", "nope", "no its not", "not correct"}
    | {"nah", "no no", "no thats wrong", "thats wrong", "yo", "yoo", "hayir hayir"}
)
ZERO = frozenset(
    {"hic", "yok", "hic yok", "agrim yok", "agri yok", "hic agrim yok", "hic agri yok"}
    | {"agrim hic yok", "hicbir agrim yok", "agrisizim", "agrim kalmadi", "agrim gecti"}
    | {"agrim yok artik", "artik agrim yok", "agrimiyor", "hic agrimiyor", "sifir agri", "zero pain"}
    | {"none", "nothing", "no pain", "no pain at all", "no pain today", "nil", "not at all", "pain free"}
    | {
        "i have no pain",
        "im pain free",
        "i am pain free",
        "painless",
        "completely pain free",
        "none today",
        "hic kalmadi",
        "kesinlikle yok",
        "bende agri yok",
    }
    | {"agrimadi", "hic agrimadi", "hic olmadi"}
    | _each(
        "|artik|bugun|su an|simdi|hic|artik hic|bugun hic",
        "agrim|agri|agrilarim|bir agrim|hicbir agrim|acim|aci|sancim|kalca agrim|bacak agrim",
        "|hic",
        "yok|kalmadi|gecti|bitti|olmadi|hissetmiyorum|hissetmedim|duymuyorum",
        "|artik|hic|bugun",
    )
    | _each("|artik|bugun|hic", "|kalcam|bacagim|hicbir yerim", "|hic|artik", "agrimiyor|acimiyor")
    | _each(
        "|i have|i had|ive|ive got|i feel|im feeling|there is|theres|there was|absolutely",
        "no pain|zero pain|no pains|absolutely no pain",
        "|at all|whatsoever",
        "|now|right now|today|anymore|any more",
    )
    | _each("none|nothing", "at all|whatsoever|today")
    | _each("|im|i am", "not in", "|any", "pain", "|at all|now|today|anymore")
    | _each("|i", "dont have|do not have|didnt have|dont feel|feel no", "|any", "pain", "|at all|now|today|anymore")
    | _each("it|my hip|my leg", "doesnt|does not|didnt", "hurt", "|at all|now|today|anymore|any more")
    | _each("|the|my|all the", "pain", "is|has|is all", "gone", "|now|completely")
    | _each("|im|i am|completely|totally", "pain free", "|now|today|completely"),
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
