"""What the demonstration in the top-level jobs.toml runs, and small applications; each folder here stands alone."""
