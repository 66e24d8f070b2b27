use crate as limbeck;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::run::Run;
use crate::stages::step::{Optimiser, Schedule, Step};
use crate::world::World;
use limbeck::Settings;

/// Adam with decoupled weight decay. Norms and biases do not decay.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct AdamW {
    /// The full learning rate.
    #[setting(default = 1e-6)]
    pub lr: f64,
    /// The decay of the first moment.
    #[setting(default = 0.9)]
    pub beta1: f64,
    /// The decay of the second moment.
    #[setting(default = 0.98)]
    pub beta2: f64,
    /// Keeps the division finite.
    #[setting(default = 1e-8)]
    pub eps: f64,
    /// Decoupled weight decay, per unit of learning rate.
    #[setting(default = 0.01)]
    pub weight_decay: f64,
    /// Whether norms and biases decay too.
    #[setting(default = false)]
    pub decay_all: bool,
    /// Steps over which the learning rate rises to its full value.
    #[setting(default = 0)]
    pub warmup: u64,
    /// How the learning rate goes on.
    #[setting(default = Schedule::Constant)]
    pub schedule: Schedule,
    /// Gradients are scaled down to this global norm; `inf` leaves them.
    #[setting(default = 1.0)]
    pub clip_norm: f64,
}

const fn check(method: &AdamW, _: &Facts) -> Option<Fault> {
    if !(method.lr > 0.0 && method.lr < f64::INFINITY) {
        return fault(
            "lr",
            "the learning rate must be above 0 and finite, or the student would never change",
        );
    }
    if !(method.beta1 >= 0.0 && method.beta1 < 1.0) {
        return fault("beta1", "`beta1` is a decay: from 0 to below 1");
    }
    if !(method.beta2 >= 0.0 && method.beta2 < 1.0) {
        return fault("beta2", "`beta2` is a decay: from 0 to below 1");
    }
    if !(method.eps > 0.0 && method.eps < f64::INFINITY) {
        return fault("eps", "`eps` keeps a division finite: it must be above 0, and finite");
    }
    if !(method.weight_decay >= 0.0 && method.weight_decay < f64::INFINITY) {
        return fault("weight_decay", "weight decay is 0 or above, and finite");
    }
    if !(method.clip_norm > 0.0) {
        return fault("clip_norm", "`clip_norm` is the largest norm a gradient may have: at 0 the student would never change (`inf` leaves gradients as they are)");
    }
    None
}

const fn fault(field: &'static str, says: &'static str) -> Option<Fault> {
    Some(Fault { stage: "step", field, says })
}

impl Step for AdamW {
    fn open<W: World>(&self, run: &Run, world: &W) -> Result<Optimiser<W::Device>> {
        Optimiser::new(self.clone(), run.steps, &world.student().decoder)
    }
}
