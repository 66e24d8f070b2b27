//! Places for gradients, which a trace keeps instead of matrices.

use super::{Buffer, Device, Flow, HasErr, Matrix, Storage};

/// Where a backward pass keeps the gradient of one matrix. It does not keep the matrix: what no op needs again is
/// freed while the forward pass goes on.
pub struct Slot<D: Device> {
    find: Box<Find<D>>,
    device: D,
}

/// Finds a gradient, zeros where none has come yet.
type Find<D> = dyn Fn(&mut Flow<D>) -> Result<&mut Buffer<D>, <D as HasErr>::Err>;

impl<D: Device> Slot<D> {
    /// That of `m`.
    pub fn of(m: &Matrix<D>) -> Self {
        let ghost = m.ghost();
        Self { find: Box::new(move |flow| flow.get_or_alloc_mut(&ghost)), device: m.device().clone() }
    }

    /// The device it is on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Takes the gradient out of `flow`. Give it back with [`Slot::put`], or drop it when no earlier op will read it.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn take(&self, flow: &mut Flow<D>) -> Result<Buffer<D>, D::Err> {
        let spare = Storage::<f32>::try_alloc_len(&self.device, 1)?;
        Ok(std::mem::replace((self.find)(flow)?, spare))
    }

    /// Puts back what [`Slot::take`] took.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn put(&self, flow: &mut Flow<D>, gradient: Buffer<D>) -> Result<(), D::Err> {
        *(self.find)(flow)? = gradient;
        Ok(())
    }
}
