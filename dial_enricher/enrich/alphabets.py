"""Which letters a language is written with: a letter that is not one of its own speaks against it.

Three letters at a time, which is all that the detector looks at in low accuracy, tell it little of a letter
that is rare in its models. Only languages that share a script are here, and only letters beyond a to z, or
beyond those that all languages in the Cyrillic script have.
"""

_ALPHABETS = {
    "af": "áéèêëíîïóôöúûü",
    "az": "əçğıöşü",
    "bs": "čćđšž",
    "ca": "àçèéíïòóúü",
    "cs": "áčďéěíňóřšťúůýž",
    "cy": "áâäéêëìîïòôöŵŷùúûẃẁẅỳ",
    "da": "æøåéó",
    "de": "äöüßé",
    "en": "é",
    "eo": "ĉĝĥĵŝŭ",
    "es": "áéíñóúü",
    "et": "äõöüšž",
    "eu": "ñçü",
    "fi": "äöåšž",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "ga": "áéíóú",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "id": "é",
    "is": "áðéíóúýþæö",
    "it": "àèéìíîòóùú",
    "la": "āēīōū",
    "lg": "ŋ",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "mi": "āēīōū",
    "ms": "é",
    "nb": "æøåéèêóòôâ",
    "nl": "áäéèêëíïóöúü",
    "nn": "æøåéèêóòôâ",
    "pl": "ąćęłńóśźż",
    "pt": "áâãàçéêíóôõúü",
    "ro": "ăâîșțşţ",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšž",
    "sn": "",
    "so": "",
    "sq": "çë",
    "st": "šêô",
    "sv": "åäöéà",
    "sw": "",
    "tl": "ñáéíóú",
    "tn": "šêô",
    "tr": "çğıöşüâîû",
    "ts": "",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "xh": "",
    "yo": "àáèéẹìíòóọṣùúńǹḿ",
    "zu": "",
    "be": "ўіёэый",
    "bg": "щъий",
    "kk": "әғқңөұүһіёэыъщий",
    "mk": "ѓѕјљњќџи",
    "mn": "өүёэыъщий",
    "ru": "ёэыъщий",
    "sr": "ђјљњћџи",
    "uk": "ґєіїщий",
}
_LETTERS = {code: frozenset(letters) for code, letters in _ALPHABETS.items()}
_ALL = frozenset("".join(_ALPHABETS.values()))


def strange_letters(text: str) -> dict[str, int]:
    """How many different letters of a text are not in the alphabet of each language; 0 is left out."""
    letters = frozenset() if text.isascii() else _ALL.intersection(text.lower())
    if not letters:
        return {}
    return {code: strange for code, own in _LETTERS.items() if (strange := len(letters - own))}
