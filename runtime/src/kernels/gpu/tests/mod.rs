//! Every CUDA kernel, run on the CPU from its own source, beside the CPU's implementation.

mod attention;
mod elements;
mod eyes;
mod halves;
mod losses;
mod products;
mod training;

use super::emulated::{Emulated, Guarded};
use super::{Gpu, Held};
use crate::kernels::check;
use crate::tensor::{self, Buffer, Cpu, Matrix};

/// `values` in the memory of the emulated device.
pub(super) fn on(gpu: &Emulated, values: &[f32]) -> Guarded {
    gpu.keep(values).unwrap()
}

/// A matrix there.
pub(super) fn matrix_on(gpu: &Emulated, m: &Matrix<Cpu>) -> Guarded {
    on(gpu, tensor::slice(m))
}

/// `count` floats of it.
pub(super) fn floats(gpu: &Emulated, memory: &Guarded, count: usize) -> Vec<f32> {
    gpu.take(memory.at(), count).unwrap()
}

/// A buffer of the CPU with these values.
pub(super) fn buffer(values: &[f32]) -> Buffer<Cpu> {
    let mut buffer = tensor::zeros(&Cpu::default(), values.len()).unwrap();
    buffer.copy_from_slice(values);
    buffer
}

/// Random numbers.
pub(super) fn random(count: usize, minor: u64) -> Vec<f32> {
    tensor::to_host(&check::matrix(1, count, minor))
}

/// Whether two lists agree, relative to the largest number of the second.
#[track_caller]
pub(super) fn agree(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-6f32, |most, x| most.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{what}, {i} of {}: {a}, expected {b}", found.len());
    }
}

/// What `work` finds with both orders of threads: it must be the same to the bit, and so no race.
#[track_caller]
pub(super) fn in_both_orders(work: impl Fn(&Emulated) -> Vec<Vec<f32>>) -> Option<Vec<Vec<f32>>> {
    let mut found: Vec<Vec<Vec<u32>>> = Vec::new();
    let mut last = None;
    for gpu in Emulated::both() {
        let values = work(&gpu);
        found.push(values.iter().map(|list| list.iter().map(|x| x.to_bits()).collect()).collect());
        last = Some(values);
    }
    if let [rising, falling] = &found[..] {
        assert_eq!(rising, falling, "the result depends on the order of threads");
    }
    last
}

#[test]
fn every_function_is_found_in_its_source() {
    let names = super::functions();
    assert_eq!(names.len(), 41, "{names:?}");
    for name in ["add", "attention_keys_256", "row_losses", "sample", "decode_attention"] {
        assert!(names.iter().any(|found| found == name), "{name} of {names:?}");
    }
}

/// With `nvcc` at hand (named by `NVCC`, or on the path), every kernel compiles for both generations.
#[test]
fn every_kernel_compiles_to_ptx_where_there_is_a_compiler() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("kernels.cu");
    std::fs::write(&text, super::source()).unwrap();
    let compiler = std::env::var("NVCC").unwrap_or_else(|_| "nvcc".to_string());
    for capability in ["sm_80", "sm_90"] {
        let ptx = folder.path().join(capability);
        let mut command = std::process::Command::new(&compiler);
        command.args(["--ptx", "-std=c++17", "-arch", capability, "-o"]).arg(&ptx).arg(&text);
        let output = match command.output() {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                return eprintln!(
                    "skipped: the kernels are compiled to PTX where `nvcc` is on the path, or named by NVCC"
                );
            }
            output => output.unwrap(),
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let ptx = std::fs::read_to_string(&ptx).unwrap();
        assert!(ptx.contains(&format!(".target {capability}")), "another target");
        for name in super::functions() {
            assert!(ptx.contains(&format!(".entry {name}(")), "{name} is not in the PTX of {capability}");
        }
    }
}
