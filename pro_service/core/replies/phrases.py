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

from pro_service.core.case import Part
from pro_service.core.replies.number_words import SMALL_NUMBERS

NOT_SLIPS = frozenset(
    {"agir", "form", "pints", "quiet", "there", "tree", "thee", "seen", "sven", "teen", "foru", "atli", "siir"}
)
"""Ordinary words and names that a slip of the finger would make of a word of ours (see `slips`)."""

HALVES = frozenset({"bucuk", "yarim", "half", "point"})


def _each(*parts: str) -> frozenset[str]:
    """Combine the alternatives of each part, `my pain|the pain`, into phrases; an empty one leaves the part out."""
    return frozenset(" ".join(" ".join(chosen).split()) for chosen in product(*(part.split("|") for part in parts)))


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
    "|arayabilirseniz sevinirim|ararsaniz sevinirim|telefon edin|telefon acin|arasin"
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
    | _each("biri|birisi|bir doktor|bir hemsire", "|beni", "arasin|arayabilir mi|arar mi")
    | _each("mumkunse|musaitseniz|musait olunca|uygun olunca|en kisa zamanda", "|beni", _CALL_TR)
    | {"arar misiniz beni", "arayin beni"}
    | _each(
        "doktorla|doktorumla|hemsireyle|biriyle|birisiyle|sizinle|hocamla", "gorusmek|konusmak", "istiyorum|isterim"
    )
    | _each(_ASK_EN, "|please", _CALL_EN, "|back", "|please|now|today|later|when you can|as soon as possible|asap")
    | _each(
        "i need|i want|id like|i would like",
        "to talk to|to speak to|to speak with|to talk with",
        "someone|somebody|a doctor|the doctor|my doctor|a nurse|the nurse|a person|you",
    )
    | _each(
        "|i need|i want|id like|i would like|i could do with|can i have|could i have|can i get",
        "a call|a phone call|a call back|a callback|to be called|someone to call me|someone to ring me",
        "|back|please|from the nurse|from the doctor|from someone",
    )
    | _each("|can you|could you|can someone|could someone|please", "call|ring|phone", "back", "|please|when you can"),
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
CALLING = re.compile(r"\b(?:ara\w*|telefon\w*|gorusm\w+|konusm\w+|call\w*|ring|phone|telephone|talk|speak)\b")
"""What no wish to be called is without."""
LINKED_CALL = re.compile(
    r"^(?:(ama|ancak|fakat|yalniz|ve|bir de|birde|ayrica|but|and|also) )?(?:(lutfen|please|pls|plz|kindly) )?"
)
"""What may join such a wish to an answer before it: the number is not the time of the call."""
TIMED = re.compile(r"\b(?:saat|bugun\w*|today|tonight|sabah|aksam)\b")
"""Beside these a number may be a time."""
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
_NUMBER = rf"([0-9]{{1,2}}|{'|'.join(SMALL_NUMBERS)})"
_HOURS = r"(?:hours?|hrs?|h)"
IN_HOURS = re.compile(
    rf"{_NUMBER} (?:(?:saat|sa) (?:sonra|sonraya|icinde)|saate)(?: (?:{_WILL_ANSWER_TR[1:]}))?"
    rf"|(?:(?:{_WILL_ANSWER_EN[1:]}) )?(?:(?:in|after) {_NUMBER} ?{_HOURS}|{_NUMBER} {_HOURS} (?:later|from now))"
)
"""Full messages that wish to be asked again after so many hours."""
SCORED = re.compile(
    r"\b(?:agrim|agri|puanim|puan|skorum|cevabim|siddeti|seviyesi|pain|score|answer|overall|rating)"
    r"(?: (?:is|was|its|at))?[ :=-]{1,3}"
    rf"{_NUMBER}\b|\b{_NUMBER} ?(?:puan|points?\b|/ ?10\b|out of)|\buzerinden {_NUMBER}\b"
)
"""A number said to be an answer: it is no time of a call."""
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
