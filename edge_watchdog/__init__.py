"""edge_watchdog: the connectivity watchdog for a studio's edge device."""

__version__ = "0.1.0"
