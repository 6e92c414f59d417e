"""What leaves the box by other ways than its pages: MQTT, webhooks, the bridge, words to strangers.

A running lab and daemon in; files in the daemon's folder out, to be searched with all the others.
"""

import json
import subprocess
import sys
import time

from edge_watchdog.core.codec import encode
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.places import BROKER_ADDRESS, Place

LISTEN = """
import sys
from paho.mqtt import subscribe

def write(_client, _data, message):
    sys.stdout.buffer.write(message.topic.encode() + b" " + message.payload + b"\\n")
    sys.stdout.buffer.flush()

subscribe.callback(write, "#", hostname=sys.argv[1])
"""
STRANGE = (
    *("/health", "/nowhere", "/client/c-anna", "/paper", "/pack/someday"),
    *("/book?day=someday", "/pack/today.docx"),
)
SENT_S = 40.0
LEFT = ("mqtt.log", "webhooks.json", "bridge.json", "answers.txt")


def listen(lab: Lab, daemon: Daemon) -> "subprocess.Popen[bytes]":
    """Write down every message of the broker in the studio from now on."""
    with (daemon.folder / "mqtt.log").open("wb") as file:
        return lab.host(Place.LAN).popen(
            [sys.executable, "-c", LISTEN, BROKER_ADDRESS], stdout=file
        )


def note_what_left(lab: Lab, daemon: Daemon) -> None:
    """Write down what was sent and what strangers are told, once there is something of each."""
    end = time.monotonic() + SENT_S
    while not (lab.control.sink() and (daemon.folder / "mqtt.log").stat().st_size):
        assert time.monotonic() < end, "no alert left the box"
        time.sleep(0.1)
    notes = {
        "webhooks.json": json.dumps(lab.control.sink(), ensure_ascii=False),
        "bridge.json": json.dumps(encode(daemon.view()), ensure_ascii=False),
        "answers.txt": "".join(_told(lab, path) for path in STRANGE) + _told(lab, "/sign-in", "x"),
    }
    assert " 404 " in notes["answers.txt"]
    assert " 401 " in notes["answers.txt"]
    for name, text in notes.items():
        (daemon.folder / name).write_text(text)


def _told(lab: Lab, path: str, form: str = "") -> str:
    more = ["-d", form] if form else []
    argv = ["curl", "-si", "-m", "5", *more, f"http://{lab.box_address}:8080{path}"]
    return str(lab.desk_pc.run(argv, capture_output=True, check=False).stdout)
