"""``sheets``: a day's pack as PDF from the running desk half, or plain words why not."""

import asyncio
from pathlib import Path

import pytest

from edge_watchdog.cli import main
from tests.desk.studio import calendar, running, today


def config(folder: Path, port: int) -> str:
    path = folder / "edge_watchdog.toml"
    path.write_text(f"""
[studio]
name = "Lotus Room"
time_zone = "Europe/London"
[desk]
listen = "127.0.0.1:{port}"
[[uplink]]
name = "broadband"
kind = "ethernet"
interface = "wan0"
""")
    return str(path)


@pytest.mark.parametrize(
    "day, file, code, said",
    [
        ("next", "pack.pdf", 0, "Wrote"),
        ("31-02", "pack.pdf", 1, "write today, tomorrow, next"),
        ("today", "nowhere/pack.pdf", 1, "No such file"),
    ],
)
async def test_a_pack_is_written_or_it_is_said_why_not(
    tmp_path, capfd, day, file, code, said
) -> None:
    (tmp_path / "day.ics").write_text(calendar(today()))
    async with running(tmp_path) as desk:
        asked = ["sheets", "--config", config(tmp_path, desk.port), "--day", day]
        for _ in range(600):
            answered = await asyncio.to_thread(main, [*asked, "--pdf", str(tmp_path / file)])
            if answered != 3:  # the desk half is still starting
                break
    assert answered == code
    captured = capfd.readouterr()
    assert said in captured.out + captured.err
    assert (tmp_path / "pack.pdf").exists() is (code == 0)


def test_without_a_desk_half_it_is_said(tmp_path, capsys) -> None:
    asked = ["sheets", "--config", config(tmp_path, 9), "--pdf", str(tmp_path / "pack.pdf")]
    assert main(asked) == 3
    assert "does not answer" in capsys.readouterr().err
