#!/usr/bin/env bash
# Trains on two "hosts" (network namespaces joined by a virtual link), two processes each, and cuts the link. The run must
# save its state and end on both within seconds. Resumed over the restored link, it must end with the same model as an
# uninterrupted run. Needs root privileges and iproute2; no traffic leaves the two namespaces.
#
#   tests/parallel/two_hosts.sh HALFSTEP
set -euo pipefail
halfstep=$(realpath "$1")
work=$(mktemp -d)
a=halfstep-a-$$ b=halfstep-b-$$
trap 'ip netns del $a; ip netns del $b; rm -rf "$work"' EXIT

ip netns add $a
ip netns add $b
ip link add cable-a netns $a type veth peer name cable-b netns $b
ip -n $a addr add 10.98.76.1/24 dev cable-a
ip -n $b addr add 10.98.76.2/24 dev cable-b
for end in "$a cable-a" "$b cable-b" "$a lo" "$b lo"; do ip -n ${end% *} link set "${end#* }" up; done

python3 - "$work" <<'PYTHON'
import struct, sys
work = sys.argv[1]
def npy(name, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(f"{work}/{name}", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)
npy("dots.npy", "|u1", (64, 8, 8, 1), bytes((i * i * 7 + i) % 251 for i in range(64 * 64)))
PYTHON
cat >"$work/tiny.json" <<'JSON'
{"network": {"image_size": 8, "in_channels": 1, "ch": 32, "emb_ch": 32, "ch_mult": [1], "num_res_blocks": 1,
             "attn_resolutions": []},
 "train": {"batch": 8, "lr": 1e-3, "precision": "fp32", "checkpoint_every": "100000", "log_every": 1}}
JSON

# start NAME COMMAND...: starts ranks 0 and 1 on host a, 2 and 3 on host b; writes exit codes to NAME.RANK.code
start() {
  local name=$1 rank host
  shift
  for rank in 0 1 2 3; do
    host=$a
    [ $rank -lt 2 ] || host=$b
    (
      code=0
      ip netns exec $host env RANK=$rank LOCAL_RANK=$((rank % 2)) WORLD_SIZE=4 MASTER_ADDR=10.98.76.1 \
        MASTER_PORT=29400 OMP_NUM_THREADS=1 "$halfstep" "$@" \
        >"$work/$name.$rank.out" 2>"$work/$name.$rank.err" || code=$?
      echo $code >"$work/$name.$rank.code"
    ) &
  done
}

# expect NAME CODE: fails unless all four processes ended with CODE
expect() {
  local rank
  for rank in 0 1 2 3; do
    [ "$(cat "$work/$1.$rank.code")" = "$2" ] && continue
    echo "$1: rank $rank: expected exit code $2, received $(cat "$work/$1.$rank.code"):" >&2
    cat "$work/$1.$rank.err" >&2
    exit 1
  done
}

lines() { cat "$work"/"$1"/*/stats.jsonl 2>/dev/null | wc -l; }

train=(train --config "$work/tiny.json" --data "$work/dots.npy" --threads 1 --updates "${UPDATES:-300}")

start whole "${train[@]}" --outdir "$work/whole"
wait
expect whole 0

start cut "${train[@]}" --outdir "$work/cut"
until [ "$(lines cut)" -ge 20 ]; do sleep 0.05; done
ip -n $a link set cable-a down
begin=$SECONDS
wait
echo "link cut at update $(lines cut) of ${UPDATES:-300}: all four processes ended after $((SECONDS - begin)) s"
expect cut 1
grep -q "the state is saved" "$work/cut.0.err"
[ $((SECONDS - begin)) -le 40 ]

ip -n $a link set cable-a up
start again resume "$work"/cut/*
wait
expect again 0
grep "resumed at update" "$work/again.0.err"
! grep -q "not bit-exact" "$work/again.0.err"
cmp "$work"/whole/*/model.safetensors "$work"/cut/*/model.safetensors
echo "the resumed run ended with the model of the uninterrupted run"
