"""What others run jobs with, turned into jobs.toml: crontabs, and systemd's timers. Called by ``admin``."""
