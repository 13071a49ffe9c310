"""How a queued run reaches a worker (huey): messages, storages, wake-ups and the engine that claims and records.

Called by server and, for telling servers of new runs, by admin.
"""
