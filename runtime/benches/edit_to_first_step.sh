#!/usr/bin/env bash
# Time to think: from saving a change to the first training step, incremental, in the release profile.
#
#   bash runtime/benches/edit_to_first_step.sh [rounds]
#
# Each round saves another value of one setting of one recipe (`delta` of `UniOpd`), builds, and trains one
# step; then trains one step with the value given in RON instead, which builds nothing. The targets are 10 s
# and 1 s on two quiet cores. The recipe is put back as it was.
set -euo pipefail
shopt -s inherit_errexit # a build that fails is no fast build
cd "$(dirname "$0")/../.."

rounds=${1:-5}
recipe=recipes/src/uni_opd.rs
kept=$(mktemp)
cp "$recipe" "$kept"
log=$(mktemp)
trap 'cp "$kept" "$recipe"; rm -f "$kept" "$run" "$log"' EXIT

# one step on the built-in tasks, without a look at held-out prompts
run=$(mktemp --suffix=.ron)
cat > "$run" <<RON
Run(
    recipe: "UniOpd", seed: 1, steps: 1, batch: 4,
    student: "$PWD/examples/assets/start",
    teachers: {"math": "$PWD/examples/assets/math", "code": "$PWD/examples/assets/code"},
    tasks: (domains: ["math", "code"], levels: (2, 3), per_level: 8, seed: 3),
    set: (rollout: (group_size: 4, max_response_tokens: 32), data: (samples: 2)),
)
RON

seconds() { # of a command
    local start end
    start=$(date +%s.%N)
    if ! "$@" > /dev/null 2> "$log"; then
        cat "$log" >&2
        return 1
    fi
    end=$(date +%s.%N)
    awk -v a="$start" -v b="$end" 'BEGIN { printf "%.2f", b - a }'
}

echo "building once ..." >&2
cargo build --release --bin limbeck > /dev/null 2>&1
step=(train "$run" --dry-run --quiet)
for round in $(seq "$rounds"); do
    sed "s/delta = 0\.4,/delta = 0.4$round,/" "$kept" > "$recipe"
    cmp -s "$kept" "$recipe" && { echo "the setting is not in $recipe" >&2; exit 1; }
    edited=$(seconds cargo run --release --quiet --bin limbeck -- "${step[@]}")
    set_in_ron=$(seconds target/release/limbeck "${step[@]}" --set "calibrate.delta=0.3$round")
    echo "round $round: a setting in the recipe file ${edited} s, in RON ${set_in_ron} s"
done
