"""Whether a password is one that many have: one word of zxcvbn's lists, give or take case, direction and look-alikes.

The lists hold 30,000 passwords and the commonest names and words. Only they are used: zxcvbn itself looks at every
part of a password in every reading of its signs, which takes seconds for some, and keeps the words of one call for
other threads' calls.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice, product
from string import digits, punctuation, whitespace

_WORD_MIN = 4
"""Letters of a word that is said several times: `aaaa aaaa aaaa` says none."""
_NO_LETTERS = f"{digits}{punctuation}{whitespace}"
"""What may stand about it then, as in `dragon7dragon7`."""
_LONGEST = 72
"""More than any word of the lists has."""
_READINGS_MAX = 512
"""Six signs in all their readings, or more of them in some: nobody who means a word writes it with more."""


def is_common(password: str, own_words: tuple[str, ...] = ()) -> bool:
    """Whether the whole password is such a word or one of `own_words` (in lower case), once or several times over."""
    from zxcvbn.matching import RANKED_DICTIONARIES  # noqa: PLC0415  # on first use: they are large

    text = unicodedata.normalize("NFKC", password).lower()
    said = _said_again(text)
    words = {text} if said == text else {text, said, said.strip(_NO_LETTERS)}
    words = {word for word in words if _WORD_MIN <= len(word) <= _LONGEST}
    lists = (*RANKED_DICTIONARIES.values(), frozenset(own_words))
    return any(read in each or read[::-1] in each for word in words for read in _readings(word) for each in lists)


def _said_again(text: str) -> str:
    """What the text is, any number of times over: the text itself, if nothing shorter."""
    return text[: (text + text).find(text, 1)]


def _readings(word: str) -> Iterator[str]:
    """The word with each of its signs read as one of the letters that look like it, or as itself."""
    letters = _letters()
    signs = [sign for sign in dict.fromkeys(word) if sign in letters]
    for chosen in islice(product(*((*letters[sign], sign) for sign in signs)), _READINGS_MAX):
        yield word.translate({ord(sign): letter for sign, letter in zip(signs, chosen, strict=True)})


def _letters() -> dict[str, list[str]]:
    """The letters that a sign can stand for."""
    from zxcvbn.matching import L33T_TABLE  # noqa: PLC0415

    letters = defaultdict(list)
    for letter, signs in L33T_TABLE.items():
        for sign in signs:
            letters[sign].append(letter)
    return letters
