"""The glyphs of states, each with what takes its place where there is only ASCII; both are one cell wide."""

OK = ("●", "*")
RUNNING = ("▶", ">")
WAITING = ("◌", ".")
RETRYING = ("↻", "~")
FAILED = ("✗", "X")
LATE = ("!", "!")
PAUSED = ("‖", "=")
CANCELLED = ("⊘", "/")
OFF = ("○", "o")
