//! The only door to dfdx: every other file takes its tensors, tapes and devices from here.
//!
//! Everything is two-dimensional, row-major, contiguous `f32`; a vector is a matrix of one row. Tensors
//! carry no tape of their own: a forward pass hands one tape from op to op ([`Tape`]), so that what is
//! traced and what is not is one type parameter of the pass.

mod grads;
mod precision;
mod tape;

pub use grads::Grads;
pub use precision::Precision;
pub use tape::{Flow, OwnedTape, Slot, Tape};

use crate::error::{Error, Result};
use crate::kernels::parallel::{self, PIECE};
use crate::kernels::Kernels;
use dfdx::optim::UnusedTensors;
use dfdx::tensor::TensorFromVec;
use dfdx::tensor_ops::ReshapeTo;
use std::mem::MaybeUninit;

pub use dfdx::tensor::{Cpu, HasErr, NoneTape, Storage};
#[cfg(feature = "cuda")]
pub use dfdx::tensor::{Cuda, CudaError};

/// What the host may ask of a device besides arithmetic.
pub trait Host: Storage<f32> {
    /// A copy of `buffer` on the host.
    ///
    /// # Errors
    /// When the device fails.
    fn read(&self, buffer: &Buffer<Self>) -> Result<Vec<f32>, Self::Err>;

    /// A buffer of `len` zeros.
    ///
    /// # Errors
    /// When the device is out of memory.
    fn zeroed(&self, len: usize) -> Result<Buffer<Self>, Self::Err> {
        self.try_alloc_len(len)
    }

    /// What it is.
    fn describe(&self) -> String {
        "CPU".to_string()
    }

    /// Waits until all work that was asked for is done.
    ///
    /// # Errors
    /// When the device fails.
    fn finish(&self) -> Result<(), Self::Err> {
        Ok(())
    }

    /// How much of its own memory is in use, in bytes, if it has memory of its own.
    fn memory_used(&self) -> Option<usize> {
        None
    }

    /// Runs `work` where the device's kernels start fastest.
    ///
    /// # Safety
    /// That may be on another thread, for which this one waits: `work` and what it gives back must not depend on which
    /// thread they are on, as a lock's guard does.
    unsafe fn within<R>(&self, work: impl FnOnce() -> R) -> R {
        work()
    }
}

/// What is handed to another thread while this one waits for it.
struct Lent<T>(T);

// SAFETY: only `Cpu::within` makes one. The thread that lends waits until the other has given back, so that no two use
// what is lent at a time; and by the contract of `within` it does not depend on its thread.
unsafe impl<T> Send for Lent<T> {}

impl<R, W: FnOnce() -> R> Lent<W> {
    fn run(self) -> Lent<R> {
        Lent((self.0)())
    }
}

impl Host for Cpu {
    fn read(&self, buffer: &Buffer<Self>) -> Result<Vec<f32>, Self::Err> {
        Ok(buffer.to_vec())
    }

    fn zeroed(&self, len: usize) -> Result<Buffer<Self>, Self::Err> {
        // SAFETY: every value is written.
        let zeros = unsafe { parallel::build(len, PIECE, |_, values| values.fill(MaybeUninit::new(0.0))) };
        cpu_buffer(self, zeros)
    }

    unsafe fn within<R>(&self, work: impl FnOnce() -> R) -> R {
        // on a thread of the pool, handing out work costs no waiting for another thread to wake up
        let lent = Lent(work);
        rayon::scope(move |_| lent.run()).0
    }
}

/// Runs `work`, which a model does, where the device's kernels start fastest.
pub(crate) fn within<D: Device, R>(device: &D, work: impl FnOnce() -> R) -> R {
    // SAFETY: models lend themselves, matrices and plain numbers, and none of these knows which thread it is on.
    unsafe { device.within(work) }
}

/// The device beside the CPU that this program was built for: a GPU with the feature `cuda`; without it there is none,
/// and the CPU stands in its place where a type is needed.
#[cfg(feature = "cuda")]
pub type Accelerator = Cuda;
/// The device beside the CPU that this program was built for: a GPU with the feature `cuda`; without it there is none,
/// and the CPU stands in its place where a type is needed.
#[cfg(not(feature = "cuda"))]
pub type Accelerator = Cpu;

/// GPU number `ordinal`. Its matrix products, all that come after, are of `precision`.
///
/// # Errors
/// A program built without the feature `cuda`, a machine without a driver, or one that lacks this GPU.
#[cfg(feature = "cuda")]
pub fn accelerator(ordinal: usize, precision: Precision) -> Result<Accelerator> {
    crate::kernels::gpu::cuda::open(ordinal, precision)
}

/// GPU number `ordinal`. Its matrix products, all that come after, are of `precision`.
///
/// # Errors
/// A program built without the feature `cuda`, a machine without a driver, or one that lacks this GPU.
#[cfg(not(feature = "cuda"))]
pub fn accelerator(ordinal: usize, _precision: Precision) -> Result<Accelerator> {
    Err(Error::call(format!("this program was built for the CPU alone, and cannot use GPU {ordinal}"))
        .at("`device`")
        .next("build it with `cargo build --release --features cuda` (docs/cuda.md says what that needs), or say `device: Cpu`"))
}

/// What is on a device, to be handed from thread to thread.
#[derive(Debug)]
pub(crate) struct AnyThread<T>(pub T);

// SAFETY: only what `run::Left` keeps is put in here, matrices of a device. Those of the CPU are memory, and of a GPU the
// handles of a driver, which any thread may use; dfdx only does not say so of its second stream.
unsafe impl<T> Send for AnyThread<T> {}

/// A device Limbeck can train on: dfdx knows it, and it has all our kernels.
pub trait Device: dfdx::tensor_ops::Device<f32> + Host + Kernels {}

impl<D: dfdx::tensor_ops::Device<f32> + Host + Kernels> Device for D {}

/// A row-major matrix of `f32` on device `D`.
pub type Matrix<D, T = NoneTape> = dfdx::tensor::Tensor<(usize, usize), f32, D, T>;

/// A buffer of `f32` on device `D`: what gradients are kept in.
pub type Buffer<D> = <D as Storage<f32>>::Vec;

/// An error of the device, as ours.
pub fn failed(why: impl std::fmt::Display) -> Error {
    Error::run(format!("the device failed: {why}"))
        .next("if memory is short, make the micro-batch or the group smaller")
}

/// A matrix of `rows` x `columns` from row-major `values` (moved, not copied, on the CPU).
///
/// # Errors
/// When there are not `rows * columns` values, or the device is out of memory.
pub fn matrix<D: Device>(device: &D, rows: usize, columns: usize, values: Vec<f32>) -> Result<Matrix<D>> {
    if values.len() != rows * columns {
        return Err(Error::run(format!("{} values do not make a {rows} x {columns} matrix", values.len())));
    }
    device.try_tensor_from_vec(values, (rows, columns)).map_err(failed)
}

/// The shape of `m`: rows, columns.
pub fn shape<D: Storage<f32>>(m: &Matrix<D>) -> (usize, usize) {
    use dfdx::shapes::HasShape;
    *m.shape()
}

/// What no other matrix has, but for copies that share its memory and its gradient.
type Id = dfdx::tensor::UniqueId;

/// The id of `m`.
fn id<D: Device>(m: &Matrix<D>) -> Id {
    // dfdx keeps a tensor's id to itself, but lists those that an optimiser found no gradient for
    let mut listed = UnusedTensors::default();
    listed.add(m);
    listed.ids[0]
}

/// A copy of `m` on the host, row-major.
pub fn to_host<D: Device>(m: &Matrix<D>) -> Vec<f32> {
    let (rows, columns) = shape(m);
    let mut values = vec![0.0; rows * columns];
    if !values.is_empty() {
        m.copy_into(&mut values);
    }
    values
}

/// Overwrites `m` with row-major `values`.
///
/// # Errors
/// When the number of values is not that of `m`.
pub fn from_host<D: Device>(m: &mut Matrix<D>, values: &[f32]) -> Result<()> {
    let (rows, columns) = shape(m);
    if values.len() != rows * columns {
        return Err(Error::run(format!("{} values do not fill a {rows} x {columns} matrix", values.len())));
    }
    if !values.is_empty() {
        m.copy_from(values);
    }
    Ok(())
}

/// The same values as `rows` x `columns`, in the same memory; its gradient is that of `m`, so no tape need know of it.
///
/// # Errors
/// When these are not as many values.
pub fn reshape<D: Device>(m: &Matrix<D>, rows: usize, columns: usize) -> Result<Matrix<D>> {
    let (here, width) = shape(m);
    if here * width != rows * columns {
        return Err(Error::run(format!("a {here} x {width} matrix is not {rows} x {columns}")));
    }
    m.clone().try_reshape_like(&(rows, columns)).map_err(failed)
}

/// A copy of `m` with its own memory and its own gradient.
///
/// # Errors
/// When the device is out of memory.
pub fn deep_copy<D: Device>(m: &Matrix<D>) -> Result<Matrix<D>> {
    let (rows, columns) = shape(m);
    matrix(m.device(), rows, columns, to_host(m))
}

/// The values of a CPU matrix, row-major, without a copy.
pub fn slice(m: &Matrix<Cpu>) -> &[f32] {
    let (rows, columns) = shape(m);
    if rows * columns == 0 {
        return &[];
    }
    let first: &f32 = &m[[0, 0]];
    // SAFETY: every matrix is made by `matrix` or a kernel from one contiguous row-major Vec of
    // rows * columns values, and `first` points to its first.
    unsafe { std::slice::from_raw_parts(first, rows * columns) }
}

/// The values of a CPU matrix for writing; copied first if another handle shares them.
pub fn slice_mut(m: &mut Matrix<Cpu>) -> &mut [f32] {
    let (rows, columns) = shape(m);
    if rows * columns == 0 {
        return &mut [];
    }
    let first: &mut f32 = &mut m[[0, 0]];
    // SAFETY: as in `slice`; dfdx has just made the memory ours alone.
    unsafe { std::slice::from_raw_parts_mut(first, rows * columns) }
}

/// A CPU matrix from the kernel's own output.
pub(crate) fn cpu_matrix(
    device: &Cpu,
    rows: usize,
    columns: usize,
    values: Vec<f32>,
) -> Result<Matrix<Cpu>, <Cpu as HasErr>::Err> {
    device.try_tensor_from_vec(values, (rows, columns))
}

/// A CPU buffer of the kernel's own output.
pub(crate) fn cpu_buffer(device: &Cpu, values: Vec<f32>) -> Result<Buffer<Cpu>, <Cpu as HasErr>::Err> {
    let mut buffer = device.try_alloc_len(0)?;
    *buffer = values;
    Ok(buffer)
}

/// A buffer of `len` zeros.
///
/// # Errors
/// When the device is out of memory.
pub fn zeros<D: Device>(device: &D, len: usize) -> Result<Buffer<D>> {
    device.zeroed(len).map_err(failed)
}
