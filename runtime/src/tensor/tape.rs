//! What a forward pass writes down for the backward pass, and the gradients that the backward pass carries.
//!
//! dfdx's own tape gives every matrix a gradient of zeros, on one thread, before an op may add to it. Here an op also
//! learns that nothing has come yet, and then writes what it would have added.

use super::{Buffer, Device, HasErr, Id, Matrix, NoneTape};
use std::collections::HashMap;
use std::rc::Rc;

/// Where ops write down what they do on the way back. [`OwnedTape`] keeps it, [`NoneTape`] does not.
pub trait Tape<D: Device> {
    /// Whether it keeps anything.
    const OWNS_TAPE: bool;

    /// Writes down `op`, which runs before all that were written down earlier.
    fn add_backward_op(&mut self, op: impl FnOnce(&mut Flow<D>) -> Result<(), D::Err> + 'static);
}

impl<D: Device> Tape<D> for NoneTape {
    const OWNS_TAPE: bool = false;

    fn add_backward_op(&mut self, _: impl FnOnce(&mut Flow<D>) -> Result<(), D::Err> + 'static) {}
}

/// One step of the way back.
type Op<D> = dyn FnOnce(&mut Flow<D>) -> Result<(), <D as HasErr>::Err>;

/// The tape of a forward pass that is to be followed back.
pub struct OwnedTape<D: Device>(Vec<Box<Op<D>>>);

impl<D: Device> Default for OwnedTape<D> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<D: Device> Tape<D> for OwnedTape<D> {
    const OWNS_TAPE: bool = true;

    fn add_backward_op(&mut self, op: impl FnOnce(&mut Flow<D>) -> Result<(), D::Err> + 'static) {
        self.0.push(Box::new(op));
    }
}

impl<D: Device> OwnedTape<D> {
    /// Follows the tape back, from the gradients in `flow` to those of all that they depend on.
    pub(super) fn follow(mut self, flow: &mut Flow<D>) -> Result<(), D::Err> {
        // an op is gone, with all it kept, before the next runs
        while let Some(op) = self.0.pop() {
            op(flow)?;
        }
        Ok(())
    }
}

/// The gradients of one backward pass that are still under way.
pub struct Flow<D: Device>(HashMap<Id, Rc<Buffer<D>>>);

impl<D: Device> Default for Flow<D> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// The place for the gradient of one matrix, which a tape keeps instead of the matrix: what no op needs again is freed
/// while the forward pass goes on.
pub struct Slot<D: Device> {
    of: Id,
    len: usize,
    device: D,
}

impl<D: Device> Slot<D> {
    /// That of `m`.
    pub fn of(m: &Matrix<D>) -> Self {
        let (rows, columns) = super::shape(m);
        Self { of: super::id(m), len: rows * columns, device: m.device().clone() }
    }

    /// The device it is on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Takes the whole gradient out of `flow`, for reading: zeros where none has come.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn whole(&self, flow: &mut Flow<D>) -> Result<Rc<Buffer<D>>, D::Err> {
        match flow.0.remove(&self.of) {
            Some(gradient) => Ok(gradient),
            None => self.device.zeroed(self.len).map(Rc::new),
        }
    }

    /// Takes what has come of the gradient out of `flow`, for adding to it; nothing where none has.
    pub fn some(&self, flow: &mut Flow<D>) -> Option<Buffer<D>> {
        flow.0.remove(&self.of).map(Rc::unwrap_or_clone)
    }

    /// [`Slot::some`], and zeros where none has come. Give it back with [`Slot::put`].
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn take(&self, flow: &mut Flow<D>) -> Result<Buffer<D>, D::Err> {
        self.some(flow).map_or_else(|| self.device.zeroed(self.len), Ok)
    }

    /// Puts back what was taken.
    pub fn put(&self, flow: &mut Flow<D>, gradient: impl Into<Rc<Buffer<D>>>) {
        flow.0.insert(self.of, gradient.into());
    }

    /// Adds `scale` times `gradient`. Where it is the first to come it is kept as it is, not copied.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn add(
        &self,
        flow: &mut Flow<D>,
        gradient: impl Into<Rc<Buffer<D>>>,
        scale: f32,
    ) -> Result<(), D::Err> {
        let gradient = gradient.into();
        let sum = match self.some(flow) {
            None if scale == 1.0 => gradient,
            sum => {
                let mut sum = sum.map_or_else(|| self.device.zeroed(self.len), Ok)?;
                self.device.accumulate(&mut sum, &gradient, scale)?;
                sum.into()
            }
        };
        self.put(flow, sum);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::check;
    use crate::tensor::{cpu_buffer, Cpu};

    fn gradient(values: &[f32]) -> Rc<Buffer<Cpu>> {
        cpu_buffer(&Cpu::default(), values.to_vec()).unwrap().into()
    }

    #[test]
    fn the_first_gradient_is_kept_and_others_are_added() {
        let (a, b) = (check::matrix(1, 2, 1), check::matrix(1, 2, 2));
        let [of_a, of_b] = [&a, &b].map(Slot::of);
        let (mut flow, first) = (Flow::default(), gradient(&[1.0, 2.0]));
        of_a.add(&mut flow, Rc::clone(&first), 1.0).unwrap();
        of_b.add(&mut flow, Rc::clone(&first), 1.0).unwrap();
        of_a.add(&mut flow, gradient(&[10.0, 20.0]), 0.5).unwrap();
        // b shares the first, and does not see what was added to a
        assert_eq!(of_a.some(&mut flow).unwrap()[..], [6.0, 12.0]);
        assert!(Rc::ptr_eq(&of_b.whole(&mut flow).unwrap(), &first));
    }

    #[test]
    fn where_nothing_came_there_are_zeros() {
        let (slot, mut flow) = (Slot::of(&check::matrix(2, 3, 1)), Flow::default());
        assert!(slot.some(&mut flow).is_none());
        assert_eq!(slot.take(&mut flow).unwrap()[..], [0.0; 6]);
        assert_eq!(slot.whole(&mut flow).unwrap()[..], [0.0; 6]);
        slot.add(&mut flow, gradient(&[1.0; 6]), -2.0).unwrap();
        assert_eq!(slot.take(&mut flow).unwrap()[..], [-2.0; 6]);
    }

    #[test]
    fn a_copy_shares_its_gradient_and_another_matrix_does_not() {
        let (m, mut flow) = (check::matrix(2, 3, 1), Flow::default());
        Slot::of(&m).put(&mut flow, gradient(&[1.0; 6]));
        let folded = crate::tensor::reshape(&m, 3, 2).unwrap();
        assert!(Slot::of(&crate::tensor::deep_copy(&m).unwrap()).some(&mut flow).is_none());
        assert!(Slot::of(&folded).some(&mut flow).is_some());
    }
}
