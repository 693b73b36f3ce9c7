#!/usr/bin/env bash
# From a fresh machine to images: installs what is missing, builds, and distils the Fashion-MNIST teacher that ships with
# halfstep from 32 sampling steps to 4, on the CPU, in a few minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/setup.sh

build halfstep_cli

halfstep=build/release/bin/halfstep
teacher=models/fashion-teacher/model.safetensors
data=/usr/share/datasets/fashion-mnist

say "distilling: 32 -> 16 -> 8 -> 4 steps"
"$halfstep" distill --teacher "$teacher" --data "$data" --outdir runs --start-steps 32 --end-steps 4
run=$(ls -d runs/*/ | tail -n 1)
student=${run}stage-0004/model.safetensors

say "sampling 64 images from the same noise: teacher with 128 and with 4 steps, student with 4"
sample() {  # NAME MODEL STEPS
  "$halfstep" sample --model "$2" --seeds 0-63 --steps "$3" --npz "$run$1.npz" --grid "$run$1.png"
}
sample teacher-128 "$teacher" 128
sample teacher-4 "$teacher" 4
sample student-4 "$student" 4
