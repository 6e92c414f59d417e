"""Questions asked through exactly one uplink, and what came back.

A probe that would leave by another link is MISROUTED, a probe that could not be sent is NOT_ASKED;
neither counts as a loss.  The system's resolver is never asked for a verdict.
"""


class ProbeError(Exception):
    """A question could not be put, or an answer could not be read; the message says why."""
