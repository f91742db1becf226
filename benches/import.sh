#!/usr/bin/env bash
# Import of passive DNS against DuckDB aggregating the same lines: benches/import.sh LINES NAMES DAYS FOLDER
# Needs /usr/bin/time and the Python package duckdb. Prints wall seconds, CPU seconds and peak memory of each.
set -euo pipefail
cd "$(dirname "$0")/.."

lines=${1:-20000000}
names=${2:-4500000}
days=${3:-60}
folder=${4:-$(mktemp -d)}
program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
input=$folder/cof-$lines-$names-$days.ndjson
clock='%e s wall, %U s user, %S s system, %M kB peak'

[ -f "$input" ] || "$program" generate cof --lines "$lines" --names "$names" --days "$days" > "$input"
ls -l "$input"

rm -rf "$folder/store"
echo "zonelens import:"
/usr/bin/time -f "$clock" "$program" --data "$folder/store" import --format cof --source dns "$input" > /dev/null
du -sb "$folder/store/runs"

for limit in 768MB 8GB; do
    echo "DuckDB, 2 threads, $limit:"
    /usr/bin/time -f "$clock" python3 benches/aggregate.py "$input" "$limit" "$folder/duck"
done
