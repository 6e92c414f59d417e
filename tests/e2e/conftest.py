from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.chromium import FLAGS, SHELL


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser, once for a file: that costs more than most tests."""
    async with async_playwright() as tool:
        made = await tool.chromium.launch(executable_path=SHELL, args=FLAGS)
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Give the browser to one test; its pages, cookies and caches go with it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()
