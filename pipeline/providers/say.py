"""How English text is said aloud: what the voice is given in place of each written word.

Captions keep the script's spelling; only the voice reads these forms. Plain numbers are left
to the voice, which reads them well; prices, decimals, symbols and addresses it reads badly.
"""

from __future__ import annotations

import re
import unicodedata

#: (one, many) of the main unit; None: said after the number, with no smaller unit.
_CURRENCIES = {
    "$": ("dollar", "dollars"),
    "€": ("euro", "euros"),
    "£": ("pound", "pounds"),
    "¥": ("yen", "yen"),
    "₹": ("rupee", "rupees"),
    "₩": ("won", "won"),
}
_CENTS = {"$": ("cent", "cents"), "€": ("cent", "cents"), "£": ("penny", "pence")}
_SIGNS = "".join(_CURRENCIES)
_PRICE = re.compile(
    rf"(?P<before>[{_SIGNS}])?(?P<whole>\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.(?P<part>\d{{1,2}}))?"
    rf"(?P<after>[{_SIGNS}])?(?!\d|[.,]\d)"
)
_DECIMAL = re.compile(r"(\d+)\.(\d+)")
_DOMAIN = re.compile(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z]{2,})")
_SYMBOLS = {"&": " and ", "+": " plus ", "@": " at ", "=": " equals ", "_": " "}
#: Nobody says a number of more digits than this.
_SILENT_NUMBER = re.compile(r"\d[\d,.]{9,}")
_SAID_PUNCTUATION = frozenset("'’-.,!?;:%")


def said(word: str) -> str:
    """The spoken form of one white-space-delimited word; empty when nothing can be said.

    `$19.99` becomes "19 99", `4.8` "4 point 8", `shop.com` "shop dot com". Letters that are
    not Latin, emoji and decoration are silent: an English voice would spell out their names.
    Endless numbers are silent too.
    """
    text = re.sub(r"^#(?=\d)", "number ", word)
    text = re.sub(r"(?<=\d)/(?=\d)", " ", text)
    text = _SILENT_NUMBER.sub(" ", text)
    text = _PRICE.sub(_price, text)
    text = _DECIMAL.sub(lambda m: f"{m[1]} point {' '.join(m[2])}", text)
    text = _DOMAIN.sub(" dot ", text)
    for symbol, name in _SYMBOLS.items():
        text = text.replace(symbol, name)
    text = "".join(char if _is_said(char) else " " for char in text).replace("’", "'")
    if not any(char.isalnum() for char in text):
        # A lone dash or dot is a pause at most; the sentence's own end carries that.
        return ""
    return " ".join(text.split())


def is_speakable(text: str) -> bool:
    """Whether an English voice can say most of `text`: Latin letters and digits."""
    letters = [char for char in text if char.isalnum()]
    latin = [char for char in letters if _is_said(char)]
    return bool(latin) and len(latin) * 2 > len(letters)


def _price(match: re.Match[str]) -> str:
    sign = match["before"] or match["after"]
    if sign is None:
        return match[0]
    whole, part = match["whole"].replace(",", ""), match["part"] or ""
    one, many = _CURRENCIES[sign]
    units = one if int(whole) == 1 else many
    cents = int(part.ljust(2, "0")) if part else 0
    if not cents:
        return f"{whole} {units}"
    if sign not in _CENTS:
        return f"{whole} point {' '.join(part)} {units}"
    if int(whole) == 0:
        return f"{cents} {_CENTS[sign][cents != 1]}"
    tail = str(cents) if cents > 9 else f"oh {cents}"
    if sign == "$" and int(whole) < 100:
        return f"{whole} {tail}"  # "nineteen ninety-nine", as an ad says it
    return f"{whole} {units} {cents}"


def _is_said(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char == " " or char in _SAID_PUNCTUATION
    return char == "’" or (char.isalpha() and unicodedata.name(char, "").startswith("LATIN"))
