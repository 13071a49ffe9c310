"""What ``jobrunner run`` does: claims, executes and records attempts, fires schedules, watches its peers."""
