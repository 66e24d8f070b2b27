//! The gradients of a model, and the way back that adds to them.

use super::{failed, shape, zeros, Buffer, Device, Flow, Matrix, OwnedTape, Slot};
use crate::error::{Error, Result};

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
        D: super::Storage<f32, Vec = Buffer<super::Cpu>>,
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
        tape: OwnedTape<D>,
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
        tape: OwnedTape<D>,
        parameters: &[&Matrix<D>],
    ) -> Result<Buffer<D>> {
        let mut flow = self.follow(last, gradient, tape, parameters)?;
        Slot::of(first).take(&mut flow).map_err(failed)
    }

    fn follow(
        &mut self,
        last: &Matrix<D>,
        gradient: Buffer<D>,
        tape: OwnedTape<D>,
        parameters: &[&Matrix<D>],
    ) -> Result<Flow<D>> {
        let mut flow = Flow::default();
        let owners: Vec<_> = parameters.iter().map(|p| Slot::of(p)).collect();
        let held = std::mem::take(&mut self.buffers);
        owners.iter().zip(held).for_each(|(owner, buffer)| owner.put(&mut flow, buffer));
        Slot::of(last).put(&mut flow, gradient);
        tape.follow(&mut flow).map_err(failed)?;
        self.buffers =
            owners.iter().map(|owner| owner.take(&mut flow).map_err(failed)).collect::<Result<_>>()?;
        Ok(flow)
    }
}
