# Everything that .ci/run does, in the venv that is active.
check: lint types imports test

# All tests, in parallel.
test *ARGS:
    pytest -q {{ARGS}}

# Format and lint.
lint:
    ruff format --check .
    ruff check .

# Types, strictly.
types:
    mypy

# The import contract: layers go down only, one library lives in one room.
imports:
    lint-imports

# Ours against the peers, in turn on this machine; prints ratios.
bench *ARGS:
    python -m bench {{ARGS}}

# The demonstration: a server on the jobs.toml of this folder.
demo:
    jobrunner run

# The generated parts of the documentation: keys, commands, transitions, JSON Schema.
docs:
    python docs/generate.py

# The pictures of the README, by the program itself; takes a minute.
pictures:
    python docs/pictures.py
