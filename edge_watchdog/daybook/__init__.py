"""The day, kept: today's and tomorrow's appointments, read-only, never blank, never too fresh.

This room holds the only personal data.  Nothing of it goes into a log, an error or another half.
"""
