"""Measurements: ours against the peers, in turn on one machine in one run; ratios count, lone times do not."""
