import math
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.study.yaml_source import MAX_BYTES, MAX_DEPTH, dotted, parse_yaml, read_yaml, shown


def value_of(text: str) -> object:
    return parse_yaml(f"a: {text}", "f.yaml").data["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-3", 0.001),
        ("5e-4", 0.0005),
        ("1E5", 100000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("010", 10),
        ("-7", -7),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("-.inf", -math.inf),
        ("!!float 1", 1.0),
        ("!!int 007", 7),
    ],
)
def test_words_that_are_values(text: str, expected: object) -> None:
    got = value_of(text)
    assert got == expected
    assert type(got) is type(expected)


def test_nan_is_a_number() -> None:
    got = value_of(".nan")
    assert isinstance(got, float)
    assert math.isnan(got)


@pytest.mark.parametrize("text", ["no", "yes", "on", "off", "y", "1_000", "0x10", "0o7", "1:30", "2016-10-10", "e3"])
def test_words_that_are_text_in_yaml_1_2(text: str) -> None:
    assert value_of(text) == text


def test_quoted_and_tagged_words_are_text() -> None:
    assert [value_of(text) for text in ("'1'", '"true"', "!!str 5")] == ["1", "true", "5"]


def test_lines_of_keys_and_items() -> None:
    source = parse_yaml("# comment\na:\n  b: 1\n  c:\n    - x\n    - y\n", "f.yaml")
    assert source.data == {"a": {"b": 1, "c": ["x", "y"]}}
    assert source.lines[("a", "b")] == 3
    assert source.lines[("a", "c", 1)] == 6
    assert source.place(("a", "c", 1)) == "f.yaml:6: a.c[1]"
    assert source.place(()) == "f.yaml:2"
    assert source.place(("a", "missing")) == "f.yaml:2: a.missing"


def test_aliases_repeat_their_anchor() -> None:
    source = parse_yaml("a: &x {b: 1}\nc: *x\n", "f.yaml")
    assert source.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert source.lines[("c",)] == 2
    assert source.lines[("c", "b")] == 1  # where it is written


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(path).data == {"a": 1, "b": 2}


LAUGHS = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"^f\.yaml:3: key 'a' appears twice, first on line 1$"),
        ("a:\n  b: 1\n  b: 1", r"^f\.yaml:3: a: key 'b' appears twice, first on line 2$"),
        ("a: [1", r"^f\.yaml:1: not valid YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("a:\n\t- 1", r"^f\.yaml:2: not valid YAML: .*'\\t' that cannot start any token$"),
        ("a: *b", r"^f\.yaml:1: not valid YAML: found undefined alias 'b'$"),
        ("a: *" + "b" * 5000, r"^f\.yaml:1: not valid YAML: found undefined alias 'b{100,180}\.\.\.$"),
        ("a: 1\n---\nb: 2", r"^f\.yaml:2: not valid YAML: expected a single document"),
        ("a: 1\nb: \0", r"^f\.yaml:2: not valid YAML: a character that YAML does not allow$"),
        ('a: "\\UFFFFFFFF"', r"^f\.yaml: not valid YAML: "),
        ("%YAML 1." + "9" * 5000 + "\n---\na: 1", r"^f\.yaml: not valid YAML: "),
        ('a: "\\uD800"', r"^f\.yaml:1: a: half of a surrogate pair is no character$"),
        ("", r"^f\.yaml: empty; it must hold a mapping of keys to values$"),
        ("# nothing\n", r"^f\.yaml: empty"),
        ("\n- a\n- b\n", r"^f\.yaml:2: must be a mapping of keys to values at the top level$"),
        ("just text", r"^f\.yaml:1: must be a mapping"),
        ("1: a", r"^f\.yaml:1: a key must be a word, got 1$"),
        ("a: {true: 1}", r"^f\.yaml:1: a: a key must be a word, got true$"),
        ("? [a]\n: 1", r"^f\.yaml:1: a key must be a word$"),
        ("a: !!python/object:os.system x", r"^f\.yaml:1: a: tag '.*os\.system' is not allowed$"),
        ("a: !b {c: 1}", r"^f\.yaml:1: a: tag '!b' is not allowed$"),
        ("a: !!set [c]", r"^f\.yaml:1: a: tag '.*:set' is not allowed$"),
        ("a: !!int five", r"^f\.yaml:1: a: 'five' is no int$"),
        ("a: " + "9" * 19, r"^f\.yaml:1: a: an integer of more than 18 digits$"),
        ("a: " + "[" * 100_000, rf"^f\.yaml:1: not valid YAML: nested deeper than {MAX_DEPTH} levels$"),
        ("a: &a [*a]", rf"^f\.yaml:1: nested deeper than {MAX_DEPTH} levels, aliases expanded$"),
        (LAUGHS, r"^f\.yaml:1: more than 10000 values, aliases expanded$"),
    ],
)
def test_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_yaml(text, "f.yaml")
    assert len(str(caught.value).splitlines()) == 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"f\.yaml: no such file; change to the folder that holds it$"):
        read_yaml(tmp_path / "f.yaml")
    with pytest.raises(ConfigError, match=r": cannot be read: Is a directory$"):
        read_yaml(tmp_path)
    with pytest.raises(ConfigError, match=r"^'a\\x00b': cannot be read: embedded null byte$"):
        read_yaml(Path("a\0b"))
    path = tmp_path / "f.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"f\.yaml:2: not UTF-8 text; save the file as UTF-8$"):
        read_yaml(path)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match=r"f\.yaml: larger than 256 KiB, the most that is read$"):
        read_yaml(path)


def test_values_are_shown_as_in_yaml_and_short() -> None:
    assert [shown(value) for value in (None, True, 1.5, "a\nb", {}, [])] == [
        "null",
        "true",
        "1.5",
        r"'a\nb'",
        "a mapping",
        "a list",
    ]
    assert len(shown("x" * 1000)) == 60


def test_a_path_stays_on_one_line() -> None:
    assert dotted(("a", "b\nc", 0, "d")) == r"a.b\nc[0].d"
