from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.chromium import SHELL, started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser, once for a file: that costs more than most tests."""
    async with started(SHELL) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Give the browser to one test; its pages, cookies and caches go with it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()
