"""Pure values and rules: no files, no processes, no SQL, no clock but the one in ``clock``. Used everywhere."""
