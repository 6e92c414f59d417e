from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.chromium import CHROMIUM, FLAGS


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as tool:
        made = await tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        await made.close()
