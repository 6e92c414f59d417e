"""Whoever waits for an outcome hears of one, whatever went wrong."""

import asyncio
import platform

import pytest

from edge_watchdog.links import LinkError
from edge_watchdog.supervise import attempt, give_back_memory


async def nothing() -> None:
    pass


async def crash() -> None:
    raise KeyError("wan0")


async def hang() -> None:
    await asyncio.Event().wait()


async def cancelled() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("work", "said"),
    [(nothing, ""), (crash, "KeyError: 'wan0'"), (hang, "not done within 0.01 s")],
)
async def test_the_outcome_is_told(work, said):
    assert await attempt("7", work(), within_s=0.01) == said


async def refuse() -> None:
    raise LinkError("broadband has no address and gateway now")


@pytest.mark.parametrize(("work", "traced"), [(refuse, False), (crash, True)])
async def test_what_a_room_foresaw_is_told_in_one_line_and_a_mistake_of_ours_with_its_place(
    work, traced, caplog
):
    await attempt("7", work(), within_s=1.0)
    (record,) = caplog.records
    assert (record.exc_info is not None) is traced


async def test_cancellation_passes_through():
    with pytest.raises(asyncio.CancelledError):
        await attempt("7", cancelled(), within_s=1.0)


def test_memory_is_given_back_where_the_system_can() -> None:
    assert give_back_memory() is (platform.libc_ver()[0] == "glibc")
