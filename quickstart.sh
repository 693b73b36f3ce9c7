#!/usr/bin/env bash
# From a fresh machine to images and a report: installs what is missing, builds the program, draws images with a student that
# comes with halfstep, and distils the Fashion-MNIST teacher in models/ from 32 sampling steps to 4, on the CPU.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/setup.sh

build halfstep_cli

halfstep=build/release/bin/halfstep
teacher=models/fashion-teacher/model.safetensors
data=/usr/share/datasets/fashion-mnist

mkdir -p runs
"$halfstep" sample --model models/fashion-4-steps --grid runs/fashion-4-steps.png --scale 2 --captions >/dev/null
say "64 images of the student models/fashion-4-steps, 4 steps each: runs/fashion-4-steps.png"

say "distilling a student of our own, with fewer updates than that one: 32 -> 16 -> 8 -> 4 steps, then moment matching"
student=$("$halfstep" distill --config fashion --updates-per-stage 60 --match-updates 150 --teacher "$teacher" --data "$data" --outdir runs)
run=$(dirname "$(dirname "$student")")

say "sampling 64 images with the same seeds: teacher with 128 and with 4 steps, student with 4"
sample() {  # NAME MODEL STEPS
  "$halfstep" sample --model "$2" --seeds 0-63 --steps "$3" --grid "$run/$1.png" >/dev/null
}
sample teacher-128 "$teacher" 128
sample teacher-4 "$teacher" 4
sample student-4 "$student" 4

say "measuring the distance of 1,000 images of each to the test images"
"$halfstep" evaluate --samples "$teacher" "$student" --steps 4 --num 1000 --reference "$data" --reference-test \
  --features models/features/resnet20-fashion.safetensors --json "$run/evaluation.json" >"$run/evaluation.txt"

say "writing the report of the run"
report=$("$halfstep" report "$run" --evaluation "$run/evaluation.json")

say "done. Distances to the test images (lower is better): teacher with 4 steps, student with 4"
cat "$run/evaluation.txt"
printf '   %s\n' "image grids:" "$run"/{teacher-128,teacher-4,student-4}.png
printf '   %s\n' "report, to open in a browser:" "$report"
