"""How long a test waits: a busy machine may take several times what a quiet one needs.

What comes is taken at once, so air in a bound costs nothing while all is well.  How fast things
are is measured in bench/, not here.
"""

AIR = 5.0


def air(quiet_s: float) -> float:
    """Give the bound for what a quiet machine does within *quiet_s*."""
    return AIR * quiet_s
