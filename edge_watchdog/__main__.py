"""``python -m edge_watchdog`` is ``edge-watchdog``."""

import sys

from edge_watchdog.cli import main

sys.exit(main())
