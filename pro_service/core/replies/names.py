"""Names beside an answer that say nothing about it: of the one who is greeted, of the one who signs."""

import re

from pro_service.core.replies.folding import contains, plain
from pro_service.core.replies.phrases import NUMBERS, PROXY

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
_RELATIVES = frozenset(
    {"oglu", "kizi", "esi", "gelini", "wife", "husband", "son", "daughter", "his", "her", "not", "degil"}
)


def without_names(text: str) -> str:
    """Return a text without the name it greets and, after a closing, the name it is signed with.

    A name alone at the end (`7. Ron`) stays: whether it is a name is not certain.
    """
    for name in (_GREETED, _SIGNED):
        found = name.search(text)
        if found and not contains(plain(found[0]), {*PROXY, *_RELATIVES, *NUMBERS["tr"], *NUMBERS["en"]}):
            text = f"{text[: found.start()]}{found[1]}, {text[found.end() :]}"
    return text
