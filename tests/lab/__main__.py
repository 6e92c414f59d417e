"""``python -m tests.lab`` prints the faults of the lab as a Markdown table."""

from tests.lab.faults import table

print(table())
