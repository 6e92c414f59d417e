"""The lab: a studio made of network namespaces on one machine, with faults to inject by name.

In: the name of a topology and of faults.  Out: a desk PC, a box with two or three uplinks, the
broadband router, the provider, an LTE stick, a phone's hotspot and a small internet.  The rule of
the room: nothing outside the lab's own namespaces and its own folder is touched, and whatever a
killed run left behind is swept by the next one.
"""

from tests.lab.lab import Lab
from tests.lab.manifest import LabError
from tests.lab.netns import boottime_s

__all__ = ["Lab", "LabError", "boottime_s"]
