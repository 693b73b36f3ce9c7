#!/bin/sh
# Distils net.pt from 64 steps to 1 and draws samples.png, which shows the teacher with 64, 4, 2 and 1
# steps, the data and the students.
set -eu
cd "$(dirname "$0")"

halfstep distill --teacher net.pt --teacher-spec spec.json --data points.npy --outdir runs \
  --start-steps 64 --end-steps 1 --updates-per-stage 1000 --batch 512 --lr 5e-4
run=$(ls -d runs/*-points-distill-64to1 | tail -n 1)

set --
for steps in 64 4 2 1; do
  halfstep sample --model "$run/teacher.pt" --steps $steps --seeds 0-4999 --batch 5000 --npz "$run/teacher-$steps.npz"
  set -- "$@" "teacher, $steps steps=$run/teacher-$steps.npz"
done
set -- "$@" "data=points.npy"
for steps in 4 2 1; do
  halfstep sample --model "$run/stage-000$steps" --seeds 0-4999 --batch 5000 --npz "$run/student-$steps.npz"
  set -- "$@" "student, $steps steps=$run/student-$steps.npz"
done
python3 plot.py samples.png "$@"
