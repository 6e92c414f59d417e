"""A studio in memory: for drills, and for thousands of outages in tests."""
