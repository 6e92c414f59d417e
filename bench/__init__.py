"""What it costs and how fast it is: each program prints one table, measured in the same run."""
