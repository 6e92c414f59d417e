"""``sheets``: a day's pack for paper, asked of the running desk half over loopback."""

import argparse
import http.client
from pathlib import Path
from urllib.parse import quote

from edge_watchdog.config import Config, ConfigError
from edge_watchdog.verbs import NOT_RUNNING, PROBLEMS, Answer, complaint
from edge_watchdog.verbs.setting import config_of

ANSWER_S = 90.0  # a small box takes its time over a PDF
ANY = ("0.0.0.0", "")
LATEST = "tomorrow"


def answer(args: argparse.Namespace) -> Answer:
    """Write the PDF."""
    try:
        config = config_of(args)
    except ConfigError as error:
        return complaint(error.problems)
    day = args.day or LATEST
    try:
        status, body = _ask(config, f"/pack/{quote(day, safe='')}.pdf")
    except (OSError, http.client.HTTPException) as error:
        return Answer(f"The desk half does not answer ({error}). Is it running?", NOT_RUNNING)
    if status == http.client.BAD_REQUEST:
        return Answer(f'--day {day}: write today, tomorrow, next or "2026-11-23"', PROBLEMS)
    if status != http.client.OK:
        return Answer(f"The desk half could not make a PDF (status {status}).", PROBLEMS)
    try:
        Path(args.pdf).write_bytes(body)
    except OSError as error:
        return Answer(f"--pdf {args.pdf}: {error.strerror}", PROBLEMS)
    return Answer(f"Wrote {args.pdf}.")


def _ask(config: Config, path: str) -> tuple[int, bytes]:
    host, _, port = config.desk.listen.rpartition(":")
    asked = http.client.HTTPConnection(
        "127.0.0.1" if host in ANY else host, int(port), timeout=ANSWER_S
    )
    try:
        asked.request("GET", path)
        answered = asked.getresponse()
        return answered.status, answered.read()
    finally:
        asked.close()
