"""What happened: events and decisions, written down before anything is done.

In: every event with the states around it and the actions it led to; every view.  Out: the state to
go on with after a crash, the last 24 hours, recordings that can be replayed.  The rule: quiet time
stays in memory, anything notable is on the disk before it is acted upon, and a disk that fails
never stops the watch.
"""

from edge_watchdog.journal.errors import JournalError
from edge_watchdog.journal.journal import Journal

__all__ = ["Journal", "JournalError"]
