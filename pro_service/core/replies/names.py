"""Names beside an answer that say nothing about it: of the one who is greeted, of the one who signs."""

import re

from pro_service.core.replies.folding import contains, plain
from pro_service.core.replies.number_words import NUMBERS
from pro_service.core.replies.phrases import PROXY
from pro_service.core.replies.remarks import unknown

_NAME = r"[A-ZÇĞİÖŞÜ][\w’'-]+"
_GREETED = re.compile(
    r"^\s*(?P<greeting>(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening)|merhaba(?:lar)?|selam|günaydın"
    r"|iyi (?:günler|akşamlar|geceler)|sayın))[\s,]+"
    rf"(?:(?i:dr|doctor|doktor|nurse|mr|mrs|ms|prof)\.?\s+{_NAME}(?:\s+{_NAME})?(?=\s*[,.!\n])"
    rf"|{_NAME}\s+(?i:hanım|bey|hoca|hocam|hemşire)\b)"
)
"""`Dear Dr Smith,` and `Günaydın Elif hanım`. Without a greeting, `Ahmet bey 7` may be who answers."""
_SIGNED = re.compile(
    r"(?P<closing>\b(?i:regards|wishes|sincerely|faithfully|saygılar(?:ımla|ımızla)?|sevgilerle|sevgiler))[\s,.!]+"
    rf"{_NAME}(?:\s+(?:{_NAME}|[A-ZÇĞİÖŞÜ]\.?))?[\s.]*$"
)
_GIVEN = (
    "Adam|Agnes|Alan|Albert|Alice|Alison|Amanda|Amy|Andrea|Andrew|Angela|Ann|Anna|Anne|Anthony|Arthur|Audrey"
    "|Barbara|Barry|Benjamin|Bernard|Betty|Beryl|Brenda|Brian|Bridget|Carol|Caroline|Catherine|Charles|Charlotte"
    "|Christine|Christopher|Claire|Clare|Colin|Cynthia|Daniel|David|Deborah|Denise|Dennis|Derek|Diana|Diane|Donald"
    "|Doreen|Doris|Dorothy|Edith|Edward|Edna|Eileen|Elaine|Eleanor|Elizabeth|Ellen|Emily|Emma|Eric|Ernest|Ethel|Evelyn"
    "|Fiona|Florence|Frances|Francis|Geoffrey|George|Gerald|Gillian|Gladys|Gordon|Graham|Hannah|Harold|Harry|Heather"
    "|Helen|Henry|Hilary|Hilda|Howard|Hugh|Ian|Irene|Isabel|Jacqueline|James|Jane|Janet|Janice|Jason|Jean|Jeffrey"
    "|Jennifer|Jessica|Jill|Joan|Joanna|Joanne|John|Jonathan|Joseph|Joyce|Judith|Judy|Julia|Julie|Karen"
    "|Katherine|Kathleen|Keith|Kenneth|Kevin|Laura|Lawrence|Leonard|Leslie|Linda|Lisa|Lorraine|Louise|Lucy|Lynn"
    "|Malcolm|Margaret|Maria|Marie|Marion|Marjorie|Martha|Martin|Mary|Matthew|Maureen|Mavis|Michael|Michelle|Mildred"
    "|Muriel|Nancy|Natalie|Neil|Nicholas|Nicola|Nigel|Nora|Norma|Norman|Oliver|Pamela|Patricia|Patrick|Paul"
    "|Paula|Pauline|Peter|Philip|Phyllis|Rachel|Raymond|Rebecca|Richard|Robert|Roger|Ronald|Rosemary|Roy|Russell|Ruth"
    "|Samantha|Samuel|Sandra|Sarah|Sharon|Sheila|Shirley|Simon|Stanley|Stella|Stephanie|Stephen|Steven|Stuart|Susan"
    "|Sylvia|Teresa|Theresa|Thelma|Thomas|Timothy|Tracey|Trevor|Valerie|Vera|Vernon|Veronica|Victor|Victoria|Vincent"
    "|Amit|Anil|Anita|Asha|Deepak|Geeta|Gita|Harish|Imran|Kamala|Kavita|Lakshmi|Lata|Mahesh|Manoj|Meena|Meera|Mohan"
    "|Mohammed|Narendra|Neha|Nirmala|Pooja|Prakash|Priya|Rajesh|Ramesh|Ravi|Rekha|Sanjay|Savita|Shanti|Sunil"
    "|Sunita|Suresh|Usha|Vijay|Vinod|Brendan|Ciaran|Declan|Deirdre|Dermot|Eamonn|Gerry|Maeve|Noreen|Orla|Seamus"
    "|Sinead|Siobhan|Peggy|Pat|Betsy|Ken|Ron|Ted|Fred|Jack|Bob|Jim|Jimmy|Joe|Tom|Tony|Dave|Mike|Steve|Liz|Maggie|Giulia"
    "|Walter|Wendy|Wilfred|William|Winifred|Yvonne|Zoe"
    "|Abdullah|Abdurrahman|Adem|Adnan|Ahmet|Ali|Arif|Arzu|Aslı|Asuman|Aylin|Aynur|Ayse|Ayşe|Ayşegül|Ayten|Aziz"
    "|Bekir|Belgin|Berna|Betül|Birgül|Burak|Burcu|Bülent|Cafer|Canan|Celal|Cemal|Cemile|Cengiz|Cevdet|Derya"
    "|Dilek|Döndü|Ebru|Elif|Emel|Emine|Emre|Ercan|Erdal|Erdem|Erkan|Erol|Esma|Esra|Fadime|Fatih|Fatma|Faruk"
    "|Ferhat|Feride|Figen|Filiz|Gamze|Gönül|Gökhan|Gülay|Gülcan|Gülden|Güler|Gülhan|Gülseren|Gülsüm|Gülşen|Gürkan"
    "|Hacer|Hakan|Halil|Halime|Hamza|Handan|Hanife|Harun|Hasan|Hatice|Havva|Hayriye|Hikmet|Hülya|Hüseyin|İbrahim"
    "|İlhan|İlknur|İsmail|İsmet|Kadir|Kadriye|Kamil|Kemal|Kenan|Kerem|Leyla|Mahmut|Makbule|Mehmet|Melek|Meliha|Meltem"
    "|Meral|Meryem|Metin|Mevlüt|Meyrem|Muammer|Muhammet|Muharrem|Murat|Musa|Mustafa|Münevver|Nazan|Nazlı|Nazmiye"
    "|Necati|Necla|Neriman|Nermin|Neslihan|Nesrin|Nevin|Nihal|Nilgün|Nuran|Nuray|Nurcan|Nurettin|Nuri|Nuriye"
    "|Oğuz|Orhan|Osman|Ömer|Özgür|Özlem|Recep|Remzi|Rıza|Saadet|Sabri|Sadık|Safiye|Salih|Sami|Seda|Sedat"
    "|Selahattin|Selim|Selma|Semra|Serap|Serdar|Serkan|Serpil|Sevda|Sevgül|Sevim|Sevil|Sibel|Songül|Suat|Süheyla"
    "|Süleyman|Şaban|Şadiye|Şerife|Şenol|Şükran|Şükrü|Tahsin|Tuba|Tuncay|Turgut|Tülay|Türkan|Ümit|Ünal"
    "|Vedat|Veli|Vildan|Volkan|Yakup|Yasemin|Yaşar|Yılmaz|Yunus|Yusuf|Zehra|Zekiye|Zeki|Zeliha|Zeynep|Zübeyde"
)
"""Given names that are no other word; a surname may follow."""
_INTRODUCED = re.compile(
    r"(?P<closing>(?:^|[\s,.!])(?i:ben|this is|it['’]?s))\s+"
    rf"(?:{_GIVEN})(?:\s+{_NAME})?\b(?=\s*(?:[,.:;!\n]|-\s)|\s+(?:(?i:ağrım|puanım|cevabım|my pain|pain)|\d+)\b)"
)
"""`Merhaba hocam ben Ayşe, ağrım 4`."""
_ALONE = re.compile(
    rf"(?P<closing>(?<=[^\W_]))\s*(?:[.,!;\n]\s*|\s-+\s*|(?<=\d)\s+)(?:(?i:from"
    rf"|ben)\s+)?(?:{_GIVEN})(?:\s+(?P<surname>{_NAME}))?[\s.!x]*$"
)
"""`7 - Margaret`, `5, Ayşe Yıldız`: after a stop, at the end. `Margaret 7` may be who answers."""
_HERE = re.compile(
    rf"(?:(?<=Hi )|(?<=Hello )|(?<=Hello, )|(?<=Hi, )|(?<=Morning, )){_NAME} here\b"
    rf"|\b(?:{_GIVEN})(?:\s+{_NAME})? here\b"
)
_UNKNOWN = (
    re.compile(
        rf"(?P<closing>\b(?i:thanks|thank you|cheers|love|from|teşekkürler|teşekkür ederim|sağ olun|sağolun"
        rf"|iyi günler|iyi akşamlar|selamlar))[\s,.!]+(?P<name>{_NAME}(?:\s+{_NAME})?)[\s.!x]*$"
    ),
    re.compile(rf"(?P<closing>\S)\s*\n\s*(?:(?:Mrs|Mr|Miss|Ms)\.?\s+)?(?P<name>{_NAME}\s+{_NAME})[\s.]*$"),
    re.compile(
        rf"(?P<closing>(?:^|[\s,.!])(?i:this is|my name is|it['’]?s|ben|adım|ismim))\s+(?P<name>{_NAME}\s+{_NAME})"
        rf"(?=\s*[,.:;!\n]|\s+(?i:ağrım|puanım|cevabım|my pain|pain)\b)"
    ),
)
"""The same of a name that is not in the list: two words with capitals, or one after a courtesy, that mean nothing."""
_RELATIVES = frozenset(
    {"oglu", "kizi", "esi", "gelini", "wife", "husband", "son", "daughter", "his", "her", "not", "degil"}
)


def without_names(text: str) -> str:
    """Return a text without the name it greets and, after a closing, the name it is signed with.

    A name without a closing (`7. Margaret`, `ben Ayşe, 4`) must be known as one: `7. Walking` is none.
    """
    text = _HERE.sub(", ", text)
    for name in (_GREETED, _SIGNED, _INTRODUCED, _ALONE):
        found = name.search(text)
        surname = found.groupdict().get("surname") if found else None
        if surname and not all(map(unknown, plain(surname).split())):
            continue
        if found and not contains(plain(found[0]), {*PROXY, *_RELATIVES, *NUMBERS["tr"], *NUMBERS["en"]}):
            text = f"{text[: found.start()]}{found[1]}, {text[found.end() :]}"
    for name in _UNKNOWN:
        found = name.search(text)
        if found and all(map(unknown, plain(found["name"]).split())):
            text = f"{text[: found.start()]}{found['closing']}, {text[found.end() :]}"
    return text


_KNOWN = re.compile(rf"\b(?:{_GIVEN})\b")


def named(text: str) -> bool:
    """Whether a text still holds a name: somebody else may be meant."""
    return _KNOWN.search(text) is not None
