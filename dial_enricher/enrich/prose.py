"""What of a chat text is prose, and so may vote on its language.

People paste code, logs, addresses and documents into a chat, and all of it looks English to a language
detector. What remains here is what they said themselves. Everything works on a bounded part of the text,
with expressions that run in linear time, so a hostile text costs no more than a long one.
"""

import re
from collections.abc import Callable, Iterator
from itertools import tee

HEAD = 1_500
"""Characters looked at from the start of a text: many questions come before what is pasted."""
TAIL = 1_500
"""Characters looked at from its end: the other questions come after it."""
LINE = 200
"""Characters looked at of one line, at the end that is nearer, without the matter inside it."""
VOICE = 140
"""The most characters of one sample: the cost of a language detector grows with them."""
TELLING = 7
"""The least evidence that is worth asking a language detector about."""
ENOUGH = 24
"""The evidence at which a sample needs no further line."""

# An open fence ends with its paragraph: what somebody asks below it is not code.
_FENCE = re.compile(r"```(?:[\s\S]*?```|[\s\S]*?(?:\n[ \t]*\n|\Z))")
_ANY_FENCE = re.compile(
    r"(```|^[ \t>]*~~~)[\s\S]*?\1|(?:```|^[ \t>]*~~~)[\s\S]*?(?:\n[ \t]*\n|\Z)", re.MULTILINE
)
_INLINE = re.compile(
    r"`[^`\n]{1,300}`"  # inline code
    r"|</?[A-Za-z!?][^<>]{0,300}>"  # a tag of XML or HTML
    r"|\((?<=\]\()[^()\s]{1,500}\)"  # the address of a Markdown link
    r"|\{(?:[^{}]|\{[^{}]{0,500}\}){0,1000}\}"  # an object of JSON
)
_QUOTED = re.compile(
    r'"[^"\n]{2,400}"|“[^”“\n]{2,400}”|„[^“”„\n]{2,400}[“”]|«[^«»\n]{2,400}»|「[^「」\n]{2,400}」'
)
_MARKER = re.compile(r"[ \t]*(?:>[ \t]*)*(?:[-*+•][ \t]+|\d{1,3}[.)][ \t]+|#{1,6}[ \t]+|\|)?")

# Lines that came from a machine. `re.ASCII`: so is code, and prose in another script must not look like it.
_MACHINE_LINE = re.compile(
    r"""\s*(?:
    # JSON, XML, YAML
      [{}]|\[\s*(?:["{\d\]]|[A-Za-z]{4,8}\]|$)|\]|<[A-Za-z/!?]
    | "[\w.$-]{1,60}"\s*:|"[^"]*",?\s*$
    | [a-z_][\w.-]{0,40}:(?:\s+[^\s?]+){0,2}\s*$
    # stack traces, and what was thrown
    | at\s+[\w.$<>/]+[ (:]|File\s+"|Traceback\b|Caused\ by:|\.{3}\s\d+\ more|goroutine\ \d|thread\ '
    | (?:[\w$.:]*[a-z.])?(?:Error|Exception|Warning|panic|fatal|error|warning):|npm\ ERR!
    | Uncaught\s|[A-Z][A-Z_]{3,}:|(?:\w+\ ){1,2}failed(?::|\ with\b)|(?:From|To|Cc|Subject|Date|Sent):\s
    | [\w$.]*[a-z](?:Error|Exception)\s*$|Unhandled\ exception|Exception\ in\ thread
    # what compilers draw
    | \d+\s*\||\|?\s*[-^~=|]{2,}|\w+\[\w+\]:
    # logs: a date, a time, an address or a level comes first
    | [\[(]?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|\d{1,3}(?:\.\d{1,3}){3}\b|[A-Z][a-z]{2}\ +\d{1,2}\ \d\d:)
    | (?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\b
    # SQL
    | (?:SELECT|INSERT\ INTO|UPDATE|DELETE\ FROM|CREATE|ALTER|DROP|FROM|WHERE|(?:LEFT\ |INNER\ |RIGHT\ )?JOIN
        |GROUP\ BY|ORDER\ BY|HAVING|LIMIT|VALUES|SET|WITH|UNION|AND|ON)\s
    | select\b[^?]{1,200}\bfrom\b|insert\ into\b|update\ \w+\ set\b|delete\ from\b
    # declarations, blocks, imports, comments
    | (?:const|let|var|val|final|auto|int|float|double|string|bool)\s+[\w<>\[\],: ]{1,60}=
    | (?:async\ )?(?:def|function|func|fn)\b[^?]{0,60}\(|class\s+\w+.{0,80}[:{(]\s*$
    | interface\s+\w+|struct\s+\w+
    | import\s+(?:static\ )?[\w.*{"'/@]+(?:\s+as\s+\w+|;|,|\s+from\b|\s*\}|$)|from\s+[\w.]+\s+import\b
    | (?:public|private|protected|static|namespace|elif|except|raise|package)\s+\S+\s*$
    | return\s+\S+(?:\s+[-+*/%<>=|&]+\s+\S+){0,4}\s*$
    | (?:if|for|while|else|try|with|switch|case|do|finally|catch|elseif)\b[^?]*[:{]\s*$
    | (?:for|while|if|switch|catch)\s*\([^()]*[=<>!;&|][^()]*\)
    | @\w+(?:\(|$)|\#include|\#!|//|/\*|\*/|--\s|;;
    # assignments, calls, commands of a shell
    | [\w.\[\]"'$-]*[\w\])]\s*(?:[-+*/|]?=|:=|=>|<-)\s*\S
    | [\w.$:>-]+\([^()]{0,200}\)[\s;:{,.)]{0,4}$
    | (?:[$>%]|PS\ \S+>)\s+\w
    | (?:sudo|pip3?|npm|npx|git|docker|kubectl|curl|wget|apt|cd|chmod|python3?|node)
        \s+[\w./-][^?\u0370-\uffff]*$
    )""",
    re.VERBOSE | re.ASCII,
)
_STATEMENT_MARKS = frozenset(";{}")
_STATEMENT_END = re.compile(r"[^\u0370-\u03ff]*[\w)\]\"'][;{}]\s*$", re.ASCII)
_CODE_END = re.compile(
    r".*(?:;|</\w+>|/>|<(?:img|input|br|hr|link|meta)\b[^<>]*>|\}|\s—|[ \t]{3})\s+(?=[^\W\d_])"
)
_COMMENT = re.compile(r"\s*#+\s")

# A run of the Latin script with all that is written into it: broken where another script begins.
_RUN = re.compile("[\x21-\x7e\u00a1-\u02ff\u0300-\u036f\u1e00-\u1eff\u2018\u2019]+")
_QUOTES = re.compile('["“”„«»「」]')
_EDGES = "*_~#[](){}\"'«»“”„‘’.,;:!?¿¡|-…"
_MACHINE_RUN = re.compile(
    r"[_\\=@$%^*+|~#{}<>\[\]&()]|\d[A-Za-z]|[A-Za-z]\d|[a-z][A-Z]|[A-Z]{2}[a-z]|\w[.:]\w|//|^/|/.*/|.{40}",
    re.ASCII,
)

# A word with a capital in mid-sentence. The capital is written first, for it is what a search can skip to.
_NAME = re.compile(r"[A-Z](?:(?<=[^\W\dA-Z_]\s.)|(?<=[^\W\dA-Z_],\s.))[^\W\d_]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u0250-\u02af\u1e00-\u1eff]+")
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_OTHER = re.compile("[\u0370-\u1cff\u1f00-\u1fff]+")
_ASCII = bytes(range(128))
_NO_LETTERS = bytes(code for code in _ASCII if not chr(code).isalpha())
_NO_CAPITALS = bytes(code for code in _ASCII if not chr(code).isupper())


def evidence(text: str) -> int:
    """How much a text can tell, in letters of the Latin script: those of other scripts tell more each."""
    return sum(by_script(text))


def by_script(text: str) -> tuple[int, int]:
    """How much the Latin script in a text can tell, and how much the other scripts."""
    letters = len(text.encode("ascii", "ignore").translate(None, _NO_LETTERS))
    if text.isascii():
        return letters, 0
    beyond = text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    return letters + _count(_LATIN, beyond), 4 * _count(_DENSE, beyond) + 2 * _count(_OTHER, beyond)


def voices(text: str) -> list[str]:
    """The prose of a text as samples that vote: a short text is one, a long one is how it opens and closes.

    The question stands before what is pasted or after it, so one of the two ends is the person's own.
    """
    lines = _unfenced(text)
    is_long = max(map(len, lines), default=0) > LINE
    forwards, again = tee(_prose(lines, slice(LINE)))
    ends = [] if is_long else [" ".join(_first(forwards, len, VOICE))]
    if is_long or len(ends[0]) >= VOICE:
        opening = _first(again, evidence, ENOUGH)
        closing = _first(_prose(lines[::-1], slice(-LINE, None)), evidence, ENOUGH)
        ends = [" ".join(opening)[:VOICE], " ".join(reversed(closing))[-VOICE:]]
    return [voice for end in ends if (voice := _own_words(end))]


def _unfenced(text: str) -> list[str]:
    """The lines looked at, without fenced code."""
    if "```" not in text and "~~~" not in text:  # nearly always
        ends = [text] if len(text) <= HEAD + TAIL else [text[:HEAD], text[-TAIL:]]
        return [line for end in ends for line in end.splitlines()]
    fence = _ANY_FENCE if "~~~" in text else _FENCE  # the plain one is ten times as fast
    if len(text) <= HEAD + TAIL:
        return fence.sub("\n", text).splitlines()
    # A fence that the cuts leave open is closed, so that what is inside stays code.
    head, tail = text[:HEAD], text[-TAIL:]
    if head.count("```") % 2:
        head += "```"
    if text.count("```", 0, len(text) - TAIL) % 2:
        tail = "```" + tail
    return fence.sub("\n", head).splitlines() + fence.sub("\n", tail).splitlines()


def _first(lines: Iterator[str], measure: Callable[[str], int], enough: int) -> list[str]:
    """As many lines, from the first on, as measure up to `enough`."""
    found: list[str] = []
    total = 0
    for line in lines:
        found.append(line)
        total += measure(line)
        if total >= enough:
            break
    return found


def _prose(lines: list[str], part: slice) -> Iterator[str]:
    """A part of each line that is prose, without the foreign matter inside it."""
    after_code = False
    for line in lines:
        if not line.strip():
            continue
        body = line[marker.end() :] if (marker := _MARKER.match(line)) else line
        has_inline = "`" in body or "<" in body or "{" in body or "](" in body
        bare = _INLINE.sub(" ", body) if has_inline else body
        after_code = _is_machine(line, body, bare) or (after_code and bool(_COMMENT.match(line)))
        if words := _words((_remark(line) if after_code else bare)[part]):
            yield words


def _remark(line: str) -> str:
    """What somebody asks on the same line, behind code that has come to its end; often nothing."""
    line = line[-2 * LINE :]
    end = _CODE_END.match(line)
    remark = line[end.end() :] if end else ""
    is_prose = len(_words(remark).split()) >= 3 or by_script(remark)[1] >= TELLING
    return remark if is_prose and not _is_machine(remark, remark, remark) else ""


def _is_machine(line: str, body: str, bare: str) -> bool:
    """Whether a line is code, data or log: as a whole, without its list marker, or without inline matter."""
    # Somebody may ask right behind an object.
    start = bare if body.lstrip().startswith("{") else body
    if _MACHINE_LINE.match(start) or (bare.rstrip()[-1:] in _STATEMENT_MARKS and _STATEMENT_END.match(bare)):
        return True
    indented = line.startswith(("    ", "\t"))
    return indented and len(body.split()) < 4 and not by_script(body)[1]


def _words(line: str) -> str:
    """A line without addresses, paths, identifiers, numbers and, unless all is in capitals, acronyms."""
    words = [
        word if word.islower() and word.isalpha() and len(word) < 40 else _sifted(word, line)  # mostly plain
        for word in line.split()
    ]
    return " ".join(filter(None, words))


def _sifted(word: str, line: str) -> str:
    """What remains of one word, or whatever else stands between white space; often nothing."""
    return word if _is_plain(word.strip(_EDGES)) else _RUN.sub(lambda run: _kept(run[0], line), word)


def _kept(run: str, line: str) -> str:
    """A run of the Latin script; of a machine's only the quotation marks: a citation ends where it ends."""
    bare = run.strip(_EDGES)
    if _is_plain(bare):
        return run
    is_machine = _MACHINE_RUN.search(bare) or (len(bare) > 1 and bare.isupper() and not _is_shouted(line))
    return " ".join(_QUOTES.findall(run)) if is_machine else run


def _is_plain(word: str) -> bool:
    """Whether there are but letters in a word, not too many, and none but the first is a capital."""
    return word.isalpha() and len(word) < 40 and (word.istitle() or word == word.lower())


def _is_shouted(line: str) -> bool:
    """Whether most letters are capitals."""
    return 2 * len(line.encode("ascii", "ignore").translate(None, _NO_CAPITALS)) > by_script(line)[0]


def _own_words(sample: str) -> str:
    """A sample without citations and names, and beside another script without any Latin word.

    All of these are of any language; they stay only where too little would remain.
    """
    if _QUOTES.search(sample) and evidence(unquoted := _QUOTED.sub(" ", sample)) >= TELLING:
        sample = unquoted
    latin, foreign = by_script(sample)
    if latin < foreign:
        return " ".join(_RUN.sub(lambda run: " " if _LATIN.search(run[0]) else run[0], sample).split())
    nameless, names = _NAME.subn("", sample)
    if names and evidence(nameless) >= max(TELLING, (latin + foreign) // 3):
        sample = nameless
    return " ".join(sample.split())


def _count(runs: re.Pattern[str], text: str) -> int:
    """How many characters are in such runs: faster than to find them one by one."""
    return len(text) - len(runs.sub("", text))
