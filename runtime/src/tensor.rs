//! The only door to dfdx: every other file takes its tensors, tapes and devices from here.
//!
//! Everything is two-dimensional, row-major, contiguous `f32`; a vector is a matrix of one row. Tensors
//! carry no tape of their own: a forward pass hands one tape from op to op ([`Tape`]), so that what is
//! traced and what is not is one type parameter of the pass.

mod precision;
mod slot;

pub use precision::Precision;
pub use slot::Slot;

use crate::error::{Error, Result};
use crate::kernels::Kernels;
use dfdx::tensor::{Gradients, PutTape, TensorFromVec};
use dfdx::tensor_ops::{Backward, ReshapeTo};

pub use dfdx::tensor::{Cpu, HasErr, NoneTape, OwnedTape, Storage, Tape};
#[cfg(feature = "cuda")]
pub use dfdx::tensor::{Cuda, CudaError};

/// What the host may ask of a device besides arithmetic.
pub trait Host: Storage<f32> {
    /// A copy of `buffer` on the host.
    ///
    /// # Errors
    /// When the device fails.
    fn read(&self, buffer: &Buffer<Self>) -> Result<Vec<f32>, Self::Err>;

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

/// The gradients of one backward pass, by tensor (dfdx's own map).
pub type Flow<D> = Gradients<f32, D>;

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

/// A buffer of `len` zeros.
///
/// # Errors
/// When the device is out of memory.
pub fn zeros<D: Device>(device: &D, len: usize) -> Result<Buffer<D>> {
    Storage::<f32>::try_alloc_len(device, len).map_err(failed)
}

/// A gradient for each parameter of a model, in the model's order; backward passes add to it.
#[derive(Clone, Debug)]
pub struct Grads<D: Device> {
    device: D,
    buffers: Vec<Buffer<D>>,
    scale: f32,
}

impl<D: Device> Grads<D> {
    /// Zeros, one buffer for each of `parameters`.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn zeros<'a>(device: &D, parameters: impl IntoIterator<Item = &'a Matrix<D>>) -> Result<Self> {
        let buffers = parameters.into_iter().map(|p| {
            let (rows, columns) = shape(p);
            zeros(device, rows * columns)
        });
        Ok(Self { device: device.clone(), buffers: buffers.collect::<Result<_>>()?, scale: 1.0 })
    }

    /// The same, for a loss whose gradient is multiplied by `scale`.
    #[must_use]
    pub(crate) fn scaled_by(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// What the loss's gradient is multiplied by: all that is in here is so many times the gradient.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Sets every gradient to zero, keeping the memory.
    ///
    /// # Errors
    /// When the device fails.
    pub fn zero(&mut self) -> Result<()> {
        self.buffers.iter_mut().try_for_each(|b| self.device.try_fill_with_zeros(b).map_err(failed))
    }

    /// Sets the gradient of parameter `index` to zero.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn clear(&mut self, index: usize) -> Result<()> {
        self.device.try_fill_with_zeros(&mut self.buffers[index]).map_err(failed)
    }

    /// The gradient of parameter `index`, on the device.
    pub fn buffer(&self, index: usize) -> &Buffer<D> {
        &self.buffers[index]
    }

    /// All gradients on the device, in the model's order.
    pub fn buffers(&self) -> &[Buffer<D>] {
        &self.buffers
    }

    /// A copy of the gradient of parameter `index` on the host, row-major.
    ///
    /// # Errors
    /// When the device fails.
    pub fn to_host(&self, index: usize) -> Result<Vec<f32>> {
        self.device.read(&self.buffers[index]).map_err(failed)
    }

    /// Overwrites the gradient of parameter `index`.
    #[cfg(test)]
    pub(crate) fn fill(&mut self, index: usize, values: &[f32])
    where
        D: Storage<f32, Vec = Buffer<Cpu>>,
    {
        self.buffers[index].copy_from_slice(values);
    }

    /// Adds `other`, gradient by gradient.
    ///
    /// # Errors
    /// When the two are not of the same model, or their losses were scaled differently.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        if self.buffers.len() != other.buffers.len() {
            return Err(Error::run("gradients of two different models cannot be added"));
        }
        if self.scale != other.scale {
            return Err(Error::run("gradients of two different loss scales cannot be added"));
        }
        for (into, from) in self.buffers.iter_mut().zip(&other.buffers) {
            self.device.accumulate(into, from, 1.0).map_err(failed)?;
        }
        Ok(())
    }

    /// The gradient of parameter `index`, for adding to it.
    pub(crate) fn buffer_mut(&mut self, index: usize) -> &mut Buffer<D> {
        &mut self.buffers[index]
    }

    /// Runs everything on `tape` backwards from `last`, whose gradient is `gradient`, and adds the gradients of
    /// `parameters`.
    pub(crate) fn collect(
        &mut self,
        last: &Matrix<D>,
        gradient: Buffer<D>,
        tape: OwnedTape<f32, D>,
        parameters: &[&Matrix<D>],
    ) -> Result<()> {
        self.follow(last, gradient, tape, parameters).map(drop)
    }

    /// [`Grads::collect`], and the gradient of `first`, which is no parameter.
    pub(crate) fn collect_to(
        &mut self,
        first: &Matrix<D>,
        last: &Matrix<D>,
        gradient: Buffer<D>,
        tape: OwnedTape<f32, D>,
        parameters: &[&Matrix<D>],
    ) -> Result<Buffer<D>> {
        let mut flow = self.follow(last, gradient, tape, parameters)?;
        Slot::of(first).take(&mut flow).map_err(failed)
    }

    fn follow(
        &mut self,
        last: &Matrix<D>,
        gradient: Buffer<D>,
        tape: OwnedTape<f32, D>,
        parameters: &[&Matrix<D>],
    ) -> Result<Flow<D>> {
        // dfdx goes backwards from a scalar: an op without inputs stands in for one
        let scalar = self.device.try_tensor_from_vec(vec![0.0], ()).map_err(failed)?;
        let (mut tape, last) = (tape, Slot::of(last));
        tape.add_backward_op(move |flow| last.put(flow, gradient));
        // the first op to run backwards is the last one added, so the parameters' buffers are laid out
        // by an op of their own, after which each op adds into them
        let held = std::mem::take(&mut self.buffers);
        let owners: Vec<_> = parameters.iter().map(|p| Slot::of(p)).collect();
        tape.add_backward_op(move |flow| {
            owners.iter().zip(held).try_for_each(|(owner, buffer)| owner.put(flow, buffer))
        });
        let mut flow = scalar.put_tape(tape).try_backward().map_err(failed)?;
        self.buffers =
            parameters.iter().map(|p| Slot::of(p).take(&mut flow).map_err(failed)).collect::<Result<_>>()?;
        Ok(flow)
    }
}
