#!/usr/bin/env bash
# Builds a CUDA binary of Limbeck on a machine without a GPU and without a CUDA toolkit.
#
#     examples/cuda/build.sh [CAPABILITY]        # 80 (A100) or 90 (H100, H200); 90 when absent
#
# Needs Rust, pip, unzip and gcc. It fetches the parts of CUDA 13.0 that compile (as Python wheels, about 250 MB),
# makes stand-ins with the symbols of the libraries that the binary is linked to, compiles our kernels to PTX as a
# check, and builds. CUDA_HOME_THERE names where the toolkit is on the machine that will run it: dfdx compiles a few
# helpers there, with headers from that place. The work is kept in target/cuda, and a second run is short.
set -euo pipefail
cd "$(dirname "$0")/../.."
capability="${1:-90}"
there="${CUDA_HOME_THERE:-/usr/local/cuda}"
work="${CUDA_WORK:-$PWD/target/cuda}"
case "$capability" in 80 | 90) ;; *) echo "capability 80 or 90, not $capability" >&2; exit 2 ;; esac
mkdir -p "$work/wheels" "$work/bin"

toolkit="$work/kit/nvidia/cu13"
if [ ! -x "$toolkit/bin/nvcc" ]; then
    # 13.0 exactly: later compilers write a PTX that a driver of 13.0 does not take
    python3 -m pip download --quiet --no-deps --dest "$work/wheels" \
        nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.88 \
        nvidia-cuda-cccl==13.0.85 nvidia-cuda-nvrtc==13.0.88 nvidia-curand==10.4.0.35
    for wheel in "$work"/wheels/*.whl; do unzip -qo "$wheel" -d "$work/kit"; done
    chmod +x "$toolkit"/bin/* "$toolkit"/nvvm/bin/*
fi

# the libraries themselves are the target's: here are their names and symbols, which fail if they are called
cargo fetch --quiet
sources="$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/cudarc-0.9.15/src | head -n 1)"
mkdir -p "$toolkit/lib64"
stand_in() { # folder of cudarc, prefix of its symbols, file, name that the binary asks for
    grep -oE "pub fn $2[A-Za-z0-9_]+" "$sources/$1/sys.rs" |
        awk '{print "int " $3 "(void) { return 999; }"}' | sort -u > "$work/stand_in.c"
    gcc -shared -fPIC -w -Wl,-soname,"$4" -o "$toolkit/lib64/$3" "$work/stand_in.c"
}
stand_in driver cu libcuda.so libcuda.so.1
stand_in cublas cublas libcublas.so libcublas.so.13
stand_in nvrtc nvrtc libnvrtc.so libnvrtc.so.13
echo 'int none(void) { return 0; }' > "$work/stand_in.c"
gcc -shared -fPIC -Wl,-soname,libcublasLt.so.13 -o "$toolkit/lib64/libcublasLt.so" "$work/stand_in.c"

# dfdx's build asks the machine's GPU what it is: this one answers for the target
printf '#!/bin/sh\necho compute_cap\necho %s.%s\n' "${capability:0:1}" "${capability:1:1}" > "$work/bin/nvidia-smi"
chmod +x "$work/bin/nvidia-smi"

# the include path of the toolkit goes into the binary: where it can be, it is spelled as on the target
root="$toolkit"
if [ ! -e "$there" ] && ln -s "$toolkit" "$there" 2> "$work/link.err"; then
    root="$there"
    trap 'rm -f "$there"' EXIT
fi

export CUDA_PATH="$root" CUDA_COMPUTE_CAP="$capability" PATH="$work/bin:$toolkit/bin:$PATH" NVCC="$toolkit/bin/nvcc"
cargo build --release --features cuda --bin limbeck
binary="${CARGO_TARGET_DIR:-target}/release/limbeck"
cp "$binary" "$work/limbeck-sm_$capability"
strip "$work/limbeck-sm_$capability"

cat <<TEXT

built: $work/limbeck-sm_$capability ($(du -h "$work/limbeck-sm_$capability" | cut -f1)), headers looked for in $root/include

The machine that runs it must have
  - a GPU of compute capability ${capability:0:1}.${capability:1:1} or later of that generation, and a driver for CUDA 13.0 or later;
  - libcublas.so.13, libcublasLt.so.13 and libnvrtc.so.13 on LD_LIBRARY_PATH (from a CUDA 13.0 toolkit, or those that
    come with PyTorch for CUDA 13.0); NVRTC no newer than the driver;
  - cuda_fp16.h and what it includes in $root/include;
  - glibc $(ldd --version | head -n 1 | grep -oE '[0-9.]+$') or later.

There, this is due:

    ./limbeck-sm_$capability bench --device cuda --verify --out cuda.json
TEXT
