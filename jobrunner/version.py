"""The version of this jobrunner. Read by packaging, the command line and the server."""

__version__ = "0.1.0"
