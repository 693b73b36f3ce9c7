#!/usr/bin/env bash
# Compares the training speed of 2 processes of 1 thread with that of 1 process of 2 threads, alternating. Needs two
# idle cores.
#
#   bench/processes.sh HALFSTEP DATA [ROUNDS] [CONFIG]
#
# Prints the images/s of each (the mean over the updates of a run, from stats.jsonl) and the ratio of the medians.
set -euo pipefail
halfstep=$(realpath "$1") data=$2 rounds=${3:-3} config=${4:-fashion}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
updates=${UPDATES:-12}

train() { "$halfstep" train --config "$config" --data "$data" --updates "$updates" --log-every "$updates" "$@" >/dev/null 2>&1; }
rate() { sed -n 's/.*"images_per_second":\([0-9.]*\).*/\1/p' "$1"/*/stats.jsonl; }
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

for round in $(seq "$rounds"); do
  train --threads 2 --outdir "$work/one-$round"
  for rank in 0 1; do
    RANK=$rank WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=${PORT:-29411} OMP_NUM_THREADS=1 \
      train --threads 1 --outdir "$work/two-$round" &
  done
  wait
  printf 'round %d: 1 process x 2 threads %.1f images/s, 2 processes x 1 thread %.1f images/s\n' \
    "$round" "$(rate "$work/one-$round")" "$(rate "$work/two-$round")"
  rate "$work/one-$round" >>"$work/one"
  rate "$work/two-$round" >>"$work/two"
done
awk -v one="$(median <"$work/one")" -v two="$(median <"$work/two")" \
  'BEGIN {printf "ratio of the medians: %.3f\n", two / one}'
