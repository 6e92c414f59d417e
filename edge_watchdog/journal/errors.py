"""The one exception of this room."""


class JournalError(Exception):
    """The file could not be read or written, or does not hold what was asked for."""
