"""What several tests of the day book need."""

from pathlib import Path

import pytest


@pytest.fixture
def key(tmp_path: Path) -> str:
    """Give the file of a secret."""
    file = tmp_path / "key"
    file.write_text("k-1\n")
    return str(file)
