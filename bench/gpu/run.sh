#!/usr/bin/env bash
# Checks and measures halfstep on one GPU in under 8 minutes (with 16 processor cores to build), without a network:
#
#   bench/gpu/run.sh [--device cuda] [--outdir bench-gpu] [--build FOLDER] [--short]
#
# 1. builds the program and the tests of devices with python3's PyTorch, or takes those in --build;
# 2. runs the tests that compare a device with the CPU;
# 3. distils the Fashion-MNIST teacher on its own samples, for 2 minutes;
# 4. compares halfstep with PyTorch's fastest modes (bench/compare).
#
# Writes OUTDIR/gpu.json, OUTDIR/gpu.txt and the logs. What is missing is said in one line. --short makes each part as
# short as possible; --short --device cpu tries the script where there is no GPU.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

device=cuda outdir=bench-gpu build='' short=''
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=${2:?} ;;
    --outdir) outdir=${2:?} ;;
    --build) build=${2:?} ;;
    --short) short=1; shift; continue ;;
    *) fail "expected --device, --outdir, --build or --short, received $1" ;;
  esac
  shift 2
done
mkdir -p "$outdir"
begin=$SECONDS

python=$(command -v python3) || fail 'expected python3, found none'
# Loads PyTorch and uses the device.
"$python" -c "import numpy, torch; torch.zeros(1, device='$device')" 2>"$outdir/torch.log" ||
  fail "expected PyTorch and numpy in $python, and the device $device, received: $(tail -n 1 "$outdir/torch.log")"

if [ -z "$build" ]; then
  for tool in cmake ninja "${CXX:-c++}"; do
    command -v "$tool" >/dev/null || fail "expected $tool, found none; install it, or pass a build with --build"
  done
  build=build/gpu
  say "building in $build"
  torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))')
  cmake -S . -B "$build" -G Ninja -D CMAKE_BUILD_TYPE=Release -D TORCH_DIR="$torch" >"$outdir/cmake.log" 2>&1 ||
    fail "expected all libraries of the build, received: $(grep -m 1 -A 2 'CMake Error' "$outdir/cmake.log" | tr -s '\n ' ' ')"
  cmake --build "$build" --target halfstep_cli halfstep_device_tests >"$outdir/build.log" 2>&1 ||
    fail "expected a build without errors; see $outdir/build.log"
fi
halfstep=$build/bin/halfstep
built=$((SECONDS - begin))

say 'tests'
tests=passed
for file in device_test device_graphs_test device_processes_test uploading_loader_test; do
  filter=${short:+--gtest_filter=DeviceNetworks.*:*OfSampling*:*SumAndBroadcast*:UploadingLoader.*}
  HALFSTEP_TEST_DEVICE=$device CUBLAS_WORKSPACE_CONFIG=:4096:8 "$build/bin/halfstep_device_tests" \
    "${filter:---file=device/$file.cc}" >"$outdir/$file.log" 2>&1 || tests="failed: see $file.log"
done
say "tests $tests"

say 'distillation'
teacher=models/fashion-teacher
"$halfstep" sample --model "$teacher" --device "$device" --steps 16 --sampler dpmpp-2m --spacing logsnr \
  --seeds "0-$((short ? 63 : 4095))" --outdir "$outdir/images" --npz "$outdir/images.npz" >"$outdir/sample.log" 2>&1 ||
  fail "expected samples of the teacher, received: $(tail -n 1 "$outdir/sample.log")"
"$python" - "$outdir/images" <<'END'
import json, numpy, pathlib, sys
folder = pathlib.Path(sys.argv[1])
labels = numpy.load(f"{folder}.npz")["arr_1"].tolist()
(folder / "dataset.json").write_text(json.dumps(dict(labels=[[f"{seed:06}.png", k] for seed, k in enumerate(labels)])))
END
limits=(--start-steps 32 --end-steps 4 --budget 2m)
[ -z "$short" ] || limits=(--start-steps 8 --end-steps 4 --updates-per-stage 2 --batch 4)
"$halfstep" distill --config fashion --teacher "$teacher" --data "$outdir/images" --device "$device" \
  --method halving --outdir "$outdir/runs" "${limits[@]}" >"$outdir/distill.log" 2>&1 ||
  fail "expected a distillation without errors, received: $(tail -n 1 "$outdir/distill.log")"

say 'comparison with PyTorch'
options=(--rounds 3 --batch 128)
[ -z "$short" ] || options=(--rounds 1 --batch 2 --modes eager)
"$python" bench/compare/compare.py --halfstep "$halfstep" --device "$device" "${options[@]}" \
  --json "$outdir/compare.json" >"$outdir/compare.txt" 2>"$outdir/compare.log" ||
  fail "expected a comparison, received: $(tail -n 1 "$outdir/compare.log")"

"$python" bench/gpu/summary.py --outdir "$outdir" --device "$device" --tests "$tests" \
  --build-seconds "$built" --seconds "$((SECONDS - begin))"
[ "$tests" = passed ]
