"""Fresh boxes for each test: booted, the project's files in them, and thrown away."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.system.box import Box, boot
from tests.system.steps import bring
from tests.system.tree import NoTreeError, layers


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

    @contextmanager
    def one(disk: Path | None = None, *, cut_off: bool = False) -> Iterator[Box]:
        folder = disk or tmp_path_factory.mktemp("box")
        with boot(tree, folder, cut_off=cut_off) as box:
            yield box
        if disk is None:  # after a failure it stays, to be looked at
            shutil.rmtree(folder)

    return one


@pytest.fixture
def box(boots: Callable[..., AbstractContextManager[Box]]) -> Iterator[Box]:
    """A fresh box, booted, nothing installed yet but the program itself."""
    with boots() as fresh:
        bring(fresh)
        yield fresh
