"""What happened: events and decisions, written down before anything is done."""
