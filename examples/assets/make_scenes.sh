#!/usr/bin/env bash
# Makes the start with eyes, the expert of scenes, and the expert of code that reads the same tokens: about half an hour
# on two cores.
#
#   bash examples/assets/make_scenes.sh     # into runs/make_scenes, then into examples/assets
#
# Every model is trained by our own Sft recipe on our own scenes and tasks, from random weights and fixed seeds; see
# examples/runs/make_scenes/*.ron for what each step teaches, and why. The expert of code is the one of make.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

# another binary can be named: LIMBECK=…/limbeck bash examples/assets/make_scenes.sh
limbeck=${LIMBECK:-target/release/limbeck}
[ -n "${LIMBECK:-}" ] || cargo build --release --bin limbeck
work=runs/make_scenes
files=examples/runs/make_scenes
rm -rf "$work"
mkdir -p "$work"

# trains as one run file says, and leaves its student where the next one looks for it
lesson() { # run file, model folder to write
    "$limbeck" train "$files/$1.ron" --out "$work/run_$1"
    "$limbeck" export "$work/run_$1" --to "$work/$2"
}

"$limbeck" init --to "$work/expert_fresh" --image 32 --patch 4 --eye-hidden 64 \
    --hidden 128 --layers 4 --heads 4 --ffn 344 --context 224 --seed 1
"$limbeck" init --to "$work/student_fresh" --image 32 --patch 4 --eye-hidden 64 \
    --hidden 96 --layers 2 --heads 4 --ffn 256 --context 224 --seed 2

lesson glance expert_glancing
lesson look expert_looking
lesson expert expert_taught
lesson deepen expert_deepened
lesson calibrate scene
lesson glance_student student_glancing
lesson look_student student_looking
lesson student student_taught
lesson start scene_start

# 16 bits are enough, and keep each folder under 2 MB
for pair in calibrate:scene start:scene_start; do
    rm -rf "examples/assets/${pair#*:}"
    "$limbeck" export "$work/run_${pair%:*}" --to "examples/assets/${pair#*:}" --bf16
    rm "examples/assets/${pair#*:}/README.md" # its card is for who publishes it
done

# the expert of code, with the tokens of scenes after its own: new weights where it never reads
rm -rf examples/assets/code_wide
"$limbeck" graft --decoder examples/assets/code --tokenizer examples/assets/scene_start/tokenizer.json \
    --to examples/assets/code_wide --bf16
