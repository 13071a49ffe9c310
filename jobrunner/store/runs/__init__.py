"""Runs in the store: add · read · claim · finish · steer. The only place that changes the state of a run.

Every change is one guarded update (``… WHERE id = ? AND state = ? …``), so that two processes can never both make it.
Each public function is one transaction, or part of the one that the caller has opened.
"""
