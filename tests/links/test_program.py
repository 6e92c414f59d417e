"""Programs that say too much, or do not end."""

import asyncio

import pytest

from edge_watchdog.links import LinkError, program
from edge_watchdog.links.program import run_program

CHATTER = ["head", "-c", "400000000", "/dev/zero"]  # takes longer than it is given below
TALKS_THEN_SLEEPS = ["sh", "-c", "head -c 1000000 /dev/zero; exec sleep 600"]
PROMPTLY_S = 20.0  # a bound on "at all": it would be for ever


@pytest.mark.parametrize("argv", [CHATTER, TALKS_THEN_SLEEPS])
async def test_a_talkative_program_is_ended_at_once_when_it_is_called_off(argv: list[str]) -> None:
    for number in range(8):  # in the middle of a word, at one time or another
        running = asyncio.create_task(run_program(argv))
        await asyncio.sleep(0.02 + 0.003 * number)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=PROMPTLY_S)
        assert done
        assert running.cancelled()


async def test_a_talkative_program_that_is_late_is_ended_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program, "PATIENCE_S", 0.1)
    for argv in (CHATTER, TALKS_THEN_SLEEPS):
        async with asyncio.timeout(PROMPTLY_S):
            with pytest.raises(LinkError, match="did not end in time"):
                await run_program(argv)
