"""Words that sound like an emergency: a false alarm costs a telephone call, a missed one may cost a life.

So the investigator's phrases are found in any order (`istemiyorum yaşamak`), with a few words between them (`my chest
really hurts`), and a word of five letters or more with anything glued to it (`intihardan`, `göğsümde`). A shorter word
must stand alone: `acil` is not in `açılmıyor`.
"""

from collections.abc import Iterable

_BETWEEN = 2
"""Words that may stand between those of a phrase."""
_LONG = 5
"""Letters from which on a word may carry an ending."""


def alarming(said: str, phrases: Iterable[str]) -> bool:
    """Return whether one of the plain phrases is said in a plain text; an empty phrase never is."""
    tokens = said.split()
    return any(_said(words, tokens) for phrase in phrases if (words := phrase.split()) and _may_be(words, said))


def _may_be(words: list[str], said: str) -> bool:
    """Return whether all the words are in the text at all: for speed alone, for hardly a text has those of a phrase."""
    return all(word in said for word in words)


def _said(words: list[str], tokens: list[str]) -> bool:
    """Return whether all the words of a phrase stand close together."""
    places = [place for place, token in enumerate(tokens) if any(_is(token, word) for word in words)]
    reach = len(words) + _BETWEEN
    return any(
        all(any(_is(token, word) for token in tokens[place : place + reach]) for word in words) for place in places
    )


def _is(token: str, word: str) -> bool:
    return token == word or (len(word) >= _LONG and token.startswith(word))
