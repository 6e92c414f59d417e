"""Fresh boxes for each test: booted, the project's files in them, and thrown away."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.system.box import Box, boot
from tests.system.tree import REPO, NoTreeError, layers

CONFIG = "/etc/edge-watchdog/edge_watchdog.toml"
PROGRAM = "/opt/edge-watchdog/bin/edge-watchdog"
INSTALL = "/root/edge_watchdog/systemd/install"


@pytest.fixture(scope="session")
def tree() -> list[Path]:
    """The layers of a box; made once, which takes a minute."""
    try:
        return layers()
    except NoTreeError as error:
        pytest.skip(f"no box can be booted here: {error}")


@pytest.fixture(scope="module")
def boots(
    tree: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Box]]:
    """Give a function that boots a box: a fresh one, or once more the one whose disk is named."""

    def one(disk: Path | None = None, *, cut_off: bool = False) -> AbstractContextManager[Box]:
        return boot(tree, disk or tmp_path_factory.mktemp("box"), cut_off=cut_off)

    return one


def bring(box: Box) -> None:
    """Put the project's unit files and examples where a person would unpack them."""
    for folder in ("systemd", "config"):
        if (REPO / folder).is_dir():
            box.copy(REPO / folder, f"/root/edge_watchdog/{folder}")


def install(box: Box) -> str:
    """Install as the documents say; give what the script said."""
    return box.out(INSTALL)


def start(box: Box) -> None:
    """Enable and start both halves, as the documents say."""
    box.run("systemctl enable --now edge-watchdog edge-watchdog-desk")


@pytest.fixture
def box(boots: Callable[..., AbstractContextManager[Box]]) -> Iterator[Box]:
    """A fresh box, booted, nothing installed yet but the program itself."""
    with boots() as fresh:
        bring(fresh)
        yield fresh
