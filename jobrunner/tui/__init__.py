"""The dashboard, on textual: screens that ask admin, and widgets that are given values. Called by ``jobrunner tui``."""
