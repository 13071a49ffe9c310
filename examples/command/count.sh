#!/bin/sh
# Counts the lines of files. What it prints is the output of the run; a line ::progress DONE/TOTAL MESSAGE is its
# progress; the JSON that it writes to $JOBRUNNER_RESULT_FILE is its result.
set -eu

total=$(echo $1 | wc -w)
done=0
lines=0
for file in $1; do
    lines=$((lines + $(wc -l < "$file")))
    done=$((done + 1))
    echo "::progress $done/$total $file"
done
echo "run $JOBRUNNER_RUN_ID counted $lines lines"
echo "{\"files\": $done, \"lines\": $lines}" > "$JOBRUNNER_RESULT_FILE"
