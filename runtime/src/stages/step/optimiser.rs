use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::dist;
use crate::error::Result;
use crate::kernels::adamw::{grad_norm, Hyper, Moments};
use crate::log::Log;
use crate::models::Decoder;
use crate::run::Left;
use crate::stages::step::AdamW;
use crate::tensor::{Device, Grads};
use crate::world::World;

/// AdamW at work: its moments and the step it stands at, both of which a checkpoint keeps.
pub struct Optimiser<D: Device> {
    method: AdamW,
    steps: u64,
    pub(crate) moments: Moments<D>,
    left: Option<Arc<Mutex<Left>>>,
}

impl<D: Device> Drop for Optimiser<D> {
    fn drop(&mut self) {
        if let Some(mut left) = self.left.as_ref().and_then(|left| left.lock().ok()) {
            left.moments(self.moments.take());
        }
    }
}

impl<D: Device> Optimiser<D> {
    /// No moments yet.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(method: AdamW, steps: u64, student: &Decoder<D>) -> Result<Self> {
        Ok(Self { method, steps, moments: Moments::new(student)?, left: None })
    }

    /// Where the moments go when the loop ends.
    pub(crate) fn leave_in(&mut self, left: &Arc<Mutex<Left>>) {
        self.left = Some(Arc::clone(left));
    }

    /// Moves the student once. Where losses are scaled, a gradient that is not finite halves the scale, and nothing
    /// moves.
    ///
    /// # Errors
    /// A gradient that is not finite and no scale to blame, with which the student does not move, or weights that are
    /// not finite after it; the batch is saved first.
    pub fn apply<W: World<Device = D>>(
        &mut self,
        world: &mut W,
        grads: Grads<D>,
        log: &mut Log,
    ) -> Result<()> {
        let start = Instant::now();
        let grads = dist::gradients(grads);
        let norm = grad_norm(&world.student().decoder, &grads)?;
        if !self.counts(world, norm, log)? {
            log.time("update", start);
            return Ok(());
        }
        let method = &self.method;
        let lr = method.lr * method.schedule.factor(self.moments.steps(), self.steps, method.warmup);
        let hyper = Hyper {
            lr,
            beta1: method.beta1,
            beta2: method.beta2,
            eps: method.eps,
            weight_decay: method.weight_decay,
            grad_scale: if norm > method.clip_norm { method.clip_norm / norm } else { 1.0 },
        };
        let decays = |name: &str| method.decay_all || !(name.ends_with(".bias") || name.contains("norm"));
        self.moments.update(&mut world.student_mut().decoder, &grads, &hyper, decays)?;
        if !world.student().decoder.is_finite()? {
            return Err(log.stop_batch("the student's weights are not finite after this step"));
        }
        world.follow()?;
        log.set("grad_norm", norm);
        log.set("lr", lr);
        log.time("update", start);
        Ok(())
    }

    /// Whether the student moves along a gradient of this length; if not, the loss scale is halved for the next one.
    fn counts<W: World<Device = D>>(&self, world: &mut W, norm: f64, log: &mut Log) -> Result<bool> {
        let decoder = &mut world.student_mut().decoder;
        let Some(mut scale) = decoder.loss_scale() else {
            return match norm.is_finite() {
                true => Ok(true),
                false => Err(log.stop_batch("the gradient is not finite")),
            };
        };
        log.set("loss_scale", f64::from(scale.scale()));
        match norm.is_finite() {
            true => scale.kept(),
            false if scale.skip() => {}
            false => {
                return Err(log.stop_batch("the gradient is not finite, and the loss scale is 1 already"))
            }
        }
        log.set("skipped_steps", scale.skipped() as f64);
        decoder.scale_losses(Some(scale));
        Ok(norm.is_finite())
    }
}
