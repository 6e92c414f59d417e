"""What can be configured, asked and diagnosed stands in the README; nothing else does."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_watchdog.config import ConfigError, load, parse
from edge_watchdog.config.reference import shipped_toml, stanzas
from edge_watchdog.config.registries import known_registries
from edge_watchdog.core.state import Cause
from edge_watchdog.verbs.reference import parts, put_between
from edge_watchdog.verbs.table import VERBS
from tests.fault_table import with_faults

HOME = Path(__file__).parents[1]
README = (HOME / "README.md").read_text("utf-8")
SHIPPED = HOME / "config/edge_watchdog.toml"
EXAMPLES = sorted((HOME / "config/examples").glob("*.toml"))
STANZAS = stanzas(known_registries())
ALTERNATIVES = "one of the two"  # how a kind says that two of its keys exclude each other


def section(name: str) -> str:
    start, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    return README.partition(start)[2].partition(end)[0]


def names(text: str) -> list[str]:
    """Give the first cell of every row of the tables."""
    return re.findall(r"^\| (?:&nbsp;)*`([^`]+)` \|", text, re.MULTILINE)


def problems_of(text: str) -> list[str]:
    try:
        parse(text)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize("name", parts())
def test_the_generated_parts_of_the_readme_are_fresh(name):
    assert put_between(README, name, parts()[name]) == README


def test_the_faults_of_the_lab_in_the_readme_are_fresh():
    assert with_faults(README) == README


def test_the_shipped_configuration_is_fresh():
    assert SHIPPED.read_text("utf-8") == shipped_toml(known_registries())


def test_the_shipped_configuration_is_fine_as_it_is():
    load(SHIPPED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_fine(path):
    config = load(path)
    assert config.studio.opening_hours is not None


def test_there_is_an_example_for_one_two_and_three_lines():
    assert {len(load(path).uplinks) for path in EXAMPLES} >= {1, 2, 3}


def test_every_key_stands_in_the_readme_and_nothing_else_does():
    known = {key.name for stanza in STANZAS for key in stanza.keys}
    assert set(names(section("config"))) == known


def test_every_kind_stands_in_the_readme_and_nothing_else_does():
    text = section("config")
    told = set(re.findall(r'of kind `"(\w+)"`', text))
    assert told == {stanza.kind for stanza in STANZAS if stanza.kind_about}
    for stanza in STANZAS:
        assert f'"{stanza.kind}"' in text or not stanza.kind


def test_every_key_says_what_it_is():
    assert not [
        f"{stanza.head} {key.name}"
        for stanza in STANZAS
        for key in stanza.keys
        if not key.doc.endswith(".") or not key.sample
    ]


def test_every_kind_says_what_it_is():
    assert not [s.head for s in STANZAS if not s.about.endswith(".") or "(" in s.about[:20]]


def test_every_cause_stands_in_the_readme_and_nothing_else_does():
    assert names(section("causes")) == [str(cause) for cause in Cause]


def test_every_verb_stands_in_the_readme_and_nothing_else_does():
    told = [name for name in names(section("commands")) if not name.startswith("--")]
    assert told == [f"edge-watchdog {verb.name}" for verb in VERBS]


def test_commands_named_in_the_text_exist():
    text = re.sub(r"`systemctl[^`]*`|sudo systemctl[^\n`]*", "", README)
    verbs = set(re.findall(r"edge-watchdog ([a-z]+(?:-[a-z]+)*)\b", text)) - {"edge"}
    assert verbs <= {verb.name for verb in VERBS}


def commented_out() -> Iterator[str]:
    """Give the shipped file with every key that is not set taken out of its comment."""
    for line in SHIPPED.read_text("utf-8").splitlines():
        yield re.sub(r"^#(?=[\[a-z])", "", line)


def test_every_key_of_the_shipped_file_is_written_as_it_must_be():
    text = "\n".join(commented_out())
    tomllib.loads(text)
    assert [line for line in problems_of(text) if ALTERNATIVES not in line] == []
