import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.lab import manifest
from tests.lab.lab import missing
from tests.ports import free_ports

needs_lab = pytest.mark.skipif(bool(missing()), reason=f"a lab needs {missing()}")
DEMO = [sys.executable, "-m", "tests.lab.demo"]


@needs_lab
def test_the_story_of_the_pulled_cable_ends_well():
    argv = [*DEMO, "--script", "--port", str(free_ports(2)[0])]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new connections leave by lte0" in done.stdout
    assert done.stdout.endswith("All was right.\n")


@needs_lab
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(how):
    # whoever runs the tests in the background has SIGINT ignored, also by what they start
    argv = ["env", "--default-signal=INT", *DEMO, "--port", str(free_ports(2)[0])]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert "built" in demo.stdout.readline()
        assert "Open http://127.0.0.1:" in demo.stdout.readline()
        time.sleep(1)
        demo.send_signal(how)
        try:
            assert demo.wait(120) == 0
        finally:
            demo.kill()
    assert list(manifest.NETNS.glob(f"ewl{demo.pid:x}-*")) == []
    assert not (manifest.ROOT / f"{demo.pid:x}").exists()


@needs_lab
def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        argv = [*DEMO, "--port", str(port)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert f"Port {port} or {port + 1} is taken" in done.stdout


def test_a_demo_that_cannot_be_says_what_is_missing_and_what_works():
    done = subprocess.run(
        DEMO, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ip, tc, nft, nsenter, dnsmasq, mosquitto, busybox." in done.stdout
    assert ("lacks: root, " in done.stdout) == (os.geteuid() != 0)
    assert "make run" in done.stdout
