"""The walls between the rooms, read from the imports of the package; nothing is run."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import edge_watchdog

HOME = Path(edge_watchdog.__file__).parent
PACKAGE = "edge_watchdog"

# What needs no world: no file, socket, clock, dice, thread or event loop.
PURE = {
    "__future__", "bisect", "collections", "collections.abc", "contextlib", "copy",
    "dataclasses", "datetime", "enum", "fractions", "functools", "heapq", "ipaddress", "itertools",
    "json", "math", "operator", "re", "statistics", "string", "textwrap", "types", "typing",
}  # fmt: skip
NOUNS = ("actions", "codec", "events", "instant", "model", "units", "view", "words")
SHOWN = tuple(f"core.{name}" for name in NOUNS)

# Each room, and what it may import of the package beside itself; "links" means links.anything.
WALLS: Mapping[str, tuple[str, ...]] = {
    "__init__": (),
    "core": (),
    "clock": ("core.instant",),
    "children": (),
    "links": ("core", "clock", "children"),
    "probes": ("core", "clock"),
    "vendors": ("core", "clock"),
    "alerts": ("core", "clock"),
    "journal": ("core", "clock"),
    "daybook": ("core", "clock", "children"),
    "sim": ("core",),
    "supervise": ("core", "clock"),
    "box": ("core", "clock"),
    "bridge": (*SHOWN, "clock"),
    "mqtt": (*SHOWN, "clock"),
    "desk": (*SHOWN, "clock", "children", "bridge", "daybook"),
    "config": (
        "core",
        "links.registry",
        "vendors.registry",
        "daybook.registry",
        "alerts.registry",
        "mqtt",
    ),
}
# The composition roots and the faces of the command line know every room; no room knows them.
ROOTS = ("watch", "hands", "senses", "strangers", "desk.app", "cli", "verbs", "__main__")

LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "aiohttp": ("probes", "vendors", "alerts", "daybook", "desk", "hands"),
    "cryptography": ("daybook", "desk"),
    "defusedxml": ("daybook",),
    "icalendar": ("daybook",),
    "jinja2": ("desk",),
    "markupsafe": ("desk",),  # a part of jinja2
    "paho": ("mqtt",),
    "psutil": ("links",),
    "pyroute2": ("links",),
    "reportlab": ("desk.pdf_drawer",),
    "recurring_ical_events": ("daybook",),
    "sdnotify": ("supervise",),
    "segno": ("desk",),
    "sqlite3": ("journal", "daybook", "alerts"),
    "tomli": ("config",),
    "yarl": ("probes", "vendors", "alerts", "daybook", "desk"),  # a part of aiohttp
}
CLOCKS = {
    "time": {
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
        "process_time", "clock_gettime", "clock_gettime_ns", "sleep",
    },
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "loop": {"time"},
}  # fmt: skip
FILE_LINES = 500
FUNCTION_LINES = 50


@dataclass(frozen=True)
class Module:
    """One file: its dotted name within the package, and what it imports."""

    name: str
    tree: ast.Module
    inside: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    lines: int = 0

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    def is_in(self, places: tuple[str, ...]) -> bool:
        return any(self.name == place or self.name.startswith(f"{place}.") for place in places)


@dataclass
class Imports(ast.NodeVisitor):
    """Collects imports; *inside* without the package's name."""

    modules: frozenset[str]
    inside: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._note(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, "imports are absolute"
        source = node.module or ""
        for alias in node.names:
            whole = f"{source}.{alias.name}"
            inner = whole.removeprefix(f"{PACKAGE}.")
            self._note(whole if inner in self.modules else source)

    def _note(self, name: str) -> None:
        if name == PACKAGE:
            self.inside.add("__init__")
        elif name.startswith(f"{PACKAGE}."):
            self.inside.add(name.removeprefix(f"{PACKAGE}."))
        else:
            self.outside.add(name)


def read_package(home: Path) -> dict[str, Module]:
    """Read every file of the package by its dotted name; a room's __init__ has the room's."""
    sources = {dotted(path, home): path.read_text() for path in home.rglob("*.py")}
    found = {}
    for name, source in sources.items():
        tree = ast.parse(source)
        imports = Imports(frozenset(sources))
        imports.visit(tree)
        inside, outside = frozenset(imports.inside), frozenset(imports.outside)
        found[name] = Module(name, tree, inside, outside, source.count("\n"))
    return found


def dotted(path: Path, home: Path) -> str:
    parts = path.relative_to(home).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def trespasses(modules: Mapping[str, Module]) -> Iterator[str]:
    """Name every import that goes through a wall."""
    for module in modules.values():
        for target in sorted(module.inside):
            if Module(target, module.tree).is_in(ROOTS) and not module.is_in(ROOTS):
                yield f"{module.name} imports {target}: nobody imports a root"
            if module.is_in(ROOTS) or target == "__init__":
                continue
            allowed = (module.room, *WALLS.get(module.room, ()))
            if not Module(target, module.tree).is_in(allowed):
                yield f"{module.name} imports {target}"


def cycles(modules: Mapping[str, Module]) -> Iterator[str]:
    """Name every module that reaches itself; a room's __init__ closes no ring."""
    rooms = {name for name in modules if any(other.startswith(f"{name}.") for other in modules)}
    edges = {name: module.inside - rooms for name, module in modules.items() if name not in rooms}
    for start, first in edges.items():
        seen: set[str] = set()
        todo = list(first)
        while todo:
            here = todo.pop()
            if here == start:
                yield start
                break
            if here not in seen:
                seen.add(here)
                todo += edges.get(here, ())


def clock_calls(tree: ast.Module) -> Iterator[str]:
    """Name every reading of a clock."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=attr) if attr in CLOCKS.get(
                owner, ()
            ):
                yield f"{owner}.{attr} in line {node.lineno}"
            case ast.Attribute(
                value=ast.Call(func=ast.Attribute(attr="get_running_loop")), attr="time"
            ):
                yield f"loop.time in line {node.lineno}"
            case ast.ImportFrom(module="time", names=names):
                yield f"from time import {names[0].name} in line {node.lineno}"


def catches_all(tree: ast.Module) -> Iterator[int]:
    """Give the line of each handler that would swallow a fault of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kind = node.type
            names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
            if any(one is None or ast.unparse(one) == "Exception" for one in names):
                yield node.lineno


@pytest.fixture(scope="module")
def modules() -> dict[str, Module]:
    """Give what was read, once: every run of tests imports this file, only one asks for it."""
    return read_package(HOME)


def test_every_file_belongs_to_a_room(modules):
    assert not [m.name for m in modules.values() if not m.is_in(ROOTS) and m.room not in WALLS]


def test_no_room_reaches_through_a_wall(modules):
    assert list(trespasses(modules)) == []


def test_no_import_goes_in_a_circle(modules):
    assert list(cycles(modules)) == []


@pytest.mark.parametrize(
    "name", sorted(dotted(path, HOME) for path in (HOME / "core").glob("*.py"))
)
def test_the_mind_is_pure(modules, name):
    assert not modules[name].outside - PURE


@pytest.mark.parametrize("library, rooms", LIBRARIES.items())
def test_a_library_stays_in_its_rooms(modules, library, rooms):
    users = {
        m.name for m in modules.values() if library in {o.partition(".")[0] for o in m.outside}
    }
    assert not {name for name in users if not modules[name].is_in(rooms)}


def test_every_library_has_a_room(modules):
    outside = {o.partition(".")[0] for m in modules.values() for o in m.outside}
    assert outside - set(sys.stdlib_module_names) - {"tomli", PACKAGE} <= set(LIBRARIES)


def test_only_the_clock_room_reads_a_clock(modules):
    found = {m.name: list(clock_calls(m.tree)) for m in modules.values() if m.name != "clock"}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_only_the_supervisor_catches_everything(modules):
    found = {m.name: list(catches_all(m.tree)) for m in modules.values() if m.name != "supervise"}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_files_and_functions_stay_readable(modules):
    long_files = [m.name for m in modules.values() if m.lines > FILE_LINES]
    long_functions = [
        f"{m.name}.{node.name}"
        for m in modules.values()
        for node in ast.walk(m.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert (long_files, long_functions) == ([], [])


def write(home: Path, files: Mapping[str, str]) -> dict[str, Module]:
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_package(home)


def test_a_trespass_would_be_seen(tmp_path):
    modules = write(
        tmp_path,
        {
            "core/mind.py": "from edge_watchdog.links import wire\n",
            "links/__init__.py": "",
            "links/wire.py": "import edge_watchdog.probes.dns\nfrom edge_watchdog import cli\n",
            "probes/dns.py": "from edge_watchdog.core.mind import x\n",
            "cli.py": "import edge_watchdog.links.wire\n",
        },
    )
    assert sorted(trespasses(modules)) == [
        "core.mind imports links.wire",
        "links.wire imports cli",
        "links.wire imports cli: nobody imports a root",
        "links.wire imports probes.dns",
    ]
    assert set(cycles(modules)) == {"core.mind", "links.wire", "probes.dns", "cli"}


@pytest.mark.parametrize(
    "source",
    [
        "import time\nx = time.monotonic()",
        "from time import monotonic",
        "from datetime import datetime\nx = datetime.now()",
        "import asyncio\nx = asyncio.get_running_loop().time()",
    ],
)
def test_a_clock_would_be_seen(source):
    assert list(clock_calls(ast.parse(source)))
