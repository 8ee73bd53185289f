"""Which part of a chat text may vote on its language."""

import pytest

from dial_enricher.enrich.prose import HEAD, TAIL, VOICE, evidence, voices


@pytest.mark.parametrize(
    ("what", "matter"),
    [
        ("a fence", "```js\nconst sorted = names.sort();\n// in order of the names\n```"),
        ("a fence that stays open", "```\nall of this is code\nand this as well"),
        ("a fence of tildes", "~~~\nall of this is code\n~~~"),
        ("indented code", "    print hello\n    goto start"),
        ("JavaScript", "const answer = await fetch(address);\nif (answer.ok) {\n  show(answer)\n}"),
        ("Python and its comments", "def load(path):\n    # read the file of the user\n    return path"),
        ("SQL", "SELECT name, age FROM users\nWHERE age > 30\nORDER BY name"),
        ("SQL in small letters", "select name from users where the age is known"),
        ("JSON", '{\n  "note": "please leave it at the front door",\n  "count": 3\n}'),
        ("JSON on one line", '{"error": {"code": 429, "message": "too many requests"}}'),
        ("YAML", "name: build\non:\n  push:\n    branches: [main]"),
        ("XML", "<book>\n  <title>The history of the world</title>\n</book>"),
        (
            "a trace of Python",
            'Traceback (most recent call last):\n  File "a.py", line 4, in main\nValueError: no such value',
        ),
        (
            "a trace of Java",
            "Caused by: java.io.IOException: closed\n\tat com.example.Main.run(Main.java:7)\n\t... 2 more",
        ),
        ("a log", "2024-03-11 08:15:22,481 INFO Starting the server\n[ERROR] it could not be started"),
        ("an access log", '10.0.0.1 - - [10/Oct/2023:13:55:36] "GET /index.html HTTP/1.1" 200'),
        ("an address", "https://www.example.com/how-to-choose-the-right-laptop?ref=home"),
        ("an e-mail address", "first.last@example-company.com"),
        ("a path", "/home/user/the_annual_report.pdf C:\\Users\\me\\notes.txt"),
        ("a command", "git commit --amend --no-edit"),
        ("hashes and base64", "d41d8cd98f00b204e9800998ecf8427e aGVsbG8gd29ybGQgaG93IGFyZSB5b3U9"),
        ("identifiers", "max_retry_count getUserName HTTPServer v2beta1"),
        ("numbers and signs", "42 3,14 19.99 € → 🎉"),
    ],
)
@pytest.mark.parametrize("order", ["{question}\n\n{matter}", "{matter}\n\n{question}"])
def test_foreign_matter_has_no_voice(what: str, matter: str, order: str) -> None:
    heard = " ".join(voices(order.format(question="Was ist hier falsch?", matter=matter)))
    assert "Was ist hier falsch?" in heard
    assert evidence(heard) == evidence("Was ist hier falsch?"), heard


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Warum gibt `arr.map(f)` hier nichts zurück?", "Warum gibt hier nichts zurück?"),
        ("hier [mehr davon](https://example.com/x) und so weiter", "hier [mehr davon] und so weiter"),
        ("JavaScriptで配列をソートするには?", "で配列をソートするには?"),
        ("Как задать переменную NODE_ENV для production?", "Как задать переменную для"),
        ("wohnt Maria noch immer in Hamburg oder nicht mehr?", "wohnt noch immer in oder nicht mehr?"),
        ("Wofür steht die Abkürzung API eigentlich?", "Wofür steht die eigentlich?"),
        ("WARUM GEHT DAS NICHT", "WARUM GEHT DAS NICHT"),
        ('Wie sagt man auf Französisch "have a nice day"?', "Wie sagt man auf ?"),
        ("Γιατί δεν δουλεύει αυτό;", "Γιατί δεν δουλεύει αυτό;"),
        ("- erst kochen\n- dann essen", "erst kochen dann essen"),
        ("# So geht das\nund nicht anders", "So geht das und nicht anders"),
        ('{"name": "test", "n": 5} come leggo questo in java?', "come leggo questo in java?"),
        ("git commit was macht das genau?", "git commit was macht das genau?"),
        ("git rebase -i って何をするコマンドですか。", "って何をするコマンドですか。"),
        ("SELECT max(n) FROM t; und wie bekomme ich den nächsten", "und wie bekomme ich den nächsten"),
        ("let a = f(b); // this is a comment", ""),
        ("<b>Save</b> wie ändere ich das hier", "wie ändere ich das hier"),
        ("DELETE FROM logs; това ще изтрие ли всичко?", "това ще изтрие ли всичко?"),
        ('Was heißt "HTTP 403 Forbidden: you may not" hier?', "Was heißt hier?"),
    ],
)
def test_what_remains_of_a_sentence(text: str, heard: str) -> None:
    assert " ".join(" ".join(voices(text)).split()) == heard


@pytest.mark.parametrize("text", ["", "   \n", "42", "???", "🎉", "```\ncode only\n```", '{"a": "b"}'])
def test_nothing_to_hear(text: str) -> None:
    assert sum(map(evidence, voices(text))) == 0


def test_a_long_text_speaks_at_both_ends() -> None:
    article = "The council will expand the bus network over the next five years. " * 40
    assert voices(f"Fasse den Artikel bitte kurz zusammen:\n\n{article}")[0].startswith("Fasse den")
    assert voices(f"{article}\n\nFasse den Artikel bitte kurz zusammen!")[1].endswith("zusammen!")


def test_long_matter_inside_a_line_hides_no_question() -> None:
    address = "https://example.com/" + "a-word/" * 60
    assert voices(f"{address} Was soll das?") == ["Was soll das?"]
    assert voices(f"Was soll das? {address}")[0] == "Was soll das?"
    data = '{"note": "' + "please leave it at the door, " * 20 + '"}'
    assert voices(f"Was soll das? {data}")[0] == "Was soll das?"


def test_a_dense_script_speaks_at_both_ends_too() -> None:
    assert voices("記事を読んでください。\n" * 60 + "この関数は何をしますか？")[1].endswith(
        "この関数は何をしますか？"
    )


def test_a_fence_that_began_before_the_end_of_a_long_text_is_code_there_too() -> None:
    code = "this line is a part of the code\n" * 400
    text = f"Was macht das?\n```\n{code}```\nUnd warum so?"
    assert " ".join(voices(text)) == "Was macht das? Und warum so?"


@pytest.mark.parametrize("text", ["Wie geht das? " * 1000, "天" * 5000, "Wie geht das?\n" * 1000])
def test_samples_are_bounded(text: str) -> None:
    assert len(voices(text)) <= 2
    assert all(len(voice) <= VOICE for voice in voices(text))


HOSTILE = [
    *'a`{["“\tあ/\u0301\ud800',
    "```\n",
    "~~~\n",
    "<a",
    "a(",
    " ;",
    "a_",
    "A.b:",
    "if ",
    "x\n",
    "1.",
    "a@",
    "> ",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_texts_cost_no_more_than_long_ones(unit: str) -> None:
    # Only so many characters are looked at: a million of them must not take longer than a few thousand.
    many = unit * (1_000_000 // len(unit))
    few = unit * ((HEAD + TAIL) // len(unit) + 1)
    assert len(voices(many)) <= 2
    assert len(voices(few)) <= 2


def test_ten_million_characters_without_white_space_end() -> None:
    assert voices("a" * 10_000_000) == []
