"""What a person can do in the dashboard: one module for each subject, and the table of them all."""
