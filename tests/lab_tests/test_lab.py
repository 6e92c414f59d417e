import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.lab import Lab, LabError, manifest
from tests.lab.lab import missing
from tests.lab.places import ANCHORS, BROKER_ADDRESS, DESK_ADDRESS, Place
from tests.lab_tests.looks import HEALTHY, ping, settle
from tests.patience import air, until

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"a lab needs {missing()}")

OWNER = """
import sys, time
from pathlib import Path
from tests.lab import Lab
with Lab(root=Path(sys.argv[1])) as lab:
    lab.box.popen(["sleep", "1000"])
    print(lab.namespace("box"), lab.folder, lab._programs[0].pid, flush=True)
    time.sleep(1000)
"""

# In a network of its own: what others make and take away beside it is not this lab's.
GUEST = """
import subprocess
from tests.lab import Lab
links = subprocess.check_output(["ip", "link"])
with Lab() as lab:
    assert subprocess.check_output(["ip", "link"]) == links
"""


def namespaces(of: str) -> set[str]:
    """Give the namespaces of the lab that has *of* among them; others' may stand beside it."""
    return {path.name for path in manifest.NETNS.glob(f"{of.rpartition('-')[0]}-*")}


def end_with_owner(root: Path, *, world_too: bool) -> tuple[str, Path]:
    """Start a lab in a process of its own, kill that for good, give its namespace and folder."""
    argv = [sys.executable, "-c", OWNER, str(root)]
    owner = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner:
        namespace, folder, world = owner.stdout.readline().split()
        if world_too:
            os.kill(int(world), signal.SIGKILL)
        owner.kill()
    return namespace, Path(folder)


def test_a_lab_stands_and_goes_within_seconds():
    before = time.monotonic()
    with Lab():
        stood = time.monotonic()
    assert stood - before < air(4)
    assert time.monotonic() - stood < air(2)


def test_a_lab_leaves_nothing_behind():
    with Lab() as lab:
        folder, name = lab.folder, lab.box.namespace
        process = lab.box.popen(["sleep", "1000"])
        assert name in namespaces(name)
    assert process.returncode is not None
    assert namespaces(name) == set()
    assert not folder.exists()


def test_a_lab_touches_no_link_of_the_network_it_is_started_in():
    argv = ["unshare", "--net", sys.executable, "-c", GUEST]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_lab_ends_in_the_middle_of_faults_that_go_on_by_themselves():
    with Lab() as lab:
        folder, name = lab.folder, lab.box.namespace
        for fault in ("flapping:0.2", "slow_recovery", "delay", "bufferbloat_own", "dhcp_change"):
            lab.inject(fault)
        inside = {pid for place in Place for pid in manifest.pids_inside(lab.namespace(place))}
    assert namespaces(name) == set()
    assert not folder.exists()
    assert [t.name for t in threading.enumerate() if t.name.startswith("fault_")] == []
    assert all(manifest.start_time(pid) is None for pid in inside)


def test_two_labs_stand_side_by_side_and_do_not_see_each_other():
    with Lab() as one, Lab(topology="gateway", forward=True) as other:
        assert one.folder != other.folder
        one.inject("everything_down")
        assert ping(one, ANCHORS[0].address) == "silent"
        assert settle(other) == HEALTHY


def test_what_a_killed_run_left_is_swept_by_its_own_world(tmp_path):
    namespace, folder = end_with_owner(tmp_path, world_too=False)
    until(lambda: not folder.exists(), 5)
    assert namespaces(namespace) == set()


def test_what_a_killed_run_left_is_swept_by_the_next_lab(tmp_path):
    namespace, folder = end_with_owner(tmp_path, world_too=True)
    assert namespace in namespaces(namespace)
    left = manifest.pids_inside(namespace)
    assert left
    with Lab(root=tmp_path):
        assert namespaces(namespace) == set()
        assert not folder.exists()
        assert all(manifest.start_time(pid) is None for pid in left)


def test_a_sweep_leaves_living_labs_and_other_peoples_processes_alone(tmp_path):
    dead = tmp_path / "dead"
    dead.mkdir()
    (dead / "owner.json").write_text(json.dumps({"pid": os.getpid(), "start": 1}))
    (dead / "processes").write_text(f"{os.getpid()} 1\n")
    living = manifest.new_manifest(tmp_path)
    assert manifest.sweep(tmp_path) == ["dead"]
    assert living.folder.exists()
    assert not dead.exists()


def test_the_box_has_its_addresses_as_a_real_one_gets_them():
    with Lab() as lab:
        routes = lab.box.run(["ip", "-4", "route", "show", "default"]).stdout.splitlines()
        assert [route.split(" metric ")[1].strip() for route in routes] == ["100", "101", "102"]
        assert lab.resolvers("wan0") == ["192.168.1.1"]
        assert lab.resolvers("lte0") == ["192.168.8.1"]
        assert lab.resolvers("phone0") == ["172.20.10.1"]
        assert "192.168.1.1" in lab.box.run(["cat", "/etc/resolv.conf"]).stdout
        assert "192.168.1.1" not in Path("/etc/resolv.conf").read_text()


def test_the_desk_pc_reaches_box_and_broker_on_the_lan():
    with Lab() as lab:
        ping_box = lab.desk_pc.run(["ping", "-c1", "-W1", lab.box_address])
        assert ping_box.returncode == 0
        with lab.desk_pc.socket() as talk:
            talk.settimeout(2)
            talk.connect((BROKER_ADDRESS, 1883))
            assert talk.getsockname()[0] == DESK_ADDRESS


def test_in_the_gateway_topology_the_desk_pc_is_behind_the_box():
    with Lab(topology="gateway", forward=True) as lab:
        argv = ["ping", "-c1", "-W1", ANCHORS[0].address]
        assert lab.desk_pc.run(argv).returncode == 0
        lab.box.sysctl("net.ipv4.ip_forward", "0")
        assert lab.desk_pc.run(argv).returncode != 0


def test_echo_sockets_without_privilege_can_be_forbidden():
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    argv += [sys.executable, "-c", "import socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM, 1)"]
    with Lab() as lab:
        assert lab.box.run(argv).returncode == 0
        lab.box.set_ping_allowed(False)
        assert "PermissionError" in lab.box.run(argv).stderr


def test_a_lab_without_phone_has_no_hotspot_until_it_is_healed():
    with Lab(phone=False) as lab:
        assert ping(lab, ANCHORS[0].address, "phone0") == "silent"
        lab.heal("phone_off")
        lab.host(Place.STICK).run(["true"], check=True)
        end = time.monotonic() + air(8)
        while ping(lab, ANCHORS[0].address, "phone0") != "answers" and time.monotonic() < end:
            time.sleep(0.1)
        assert ping(lab, ANCHORS[0].address, "phone0") == "answers"


@pytest.mark.parametrize("topology", ["star", ""])
def test_an_unknown_topology_is_refused(topology):
    with pytest.raises(LabError, match="there are self, gateway"):
        Lab(topology=topology)
