"""The command line: parse, one call to admin, print. Started by ``__main__``; nothing below knows of it."""
