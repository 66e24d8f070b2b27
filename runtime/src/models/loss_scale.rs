//! Dynamic loss scaling (Micikevicius et al., "Mixed precision training", arXiv 1710.03740).

use serde::{Deserialize, Serialize};

/// Good steps after which the scale doubles.
const PATIENCE: u64 = 2000;
/// The largest scale.
const MOST: f32 = 16_777_216.0;

/// What a loss's gradient is multiplied by before the backward pass, so that small gradients are not lost where products
/// read halves. It is divided out of the gradients before anything is made of them. Where it made a gradient infinite,
/// the step is skipped and the scale halved; after 2000 good steps it doubles. Powers of two, so that nothing is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Kept", deny_unknown_fields)]
pub struct LossScale {
    scale: f32,
    /// Good steps since the scale changed.
    good: u64,
    /// Steps that were skipped, in all.
    skipped: u64,
}

/// A scale as a checkpoint has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    scale: f32,
    good: u64,
    skipped: u64,
}

impl TryFrom<Kept> for LossScale {
    type Error = String;

    fn try_from(Kept { scale, good, skipped }: Kept) -> Result<Self, String> {
        match (1.0..=MOST).contains(&scale) && scale.log2().fract() == 0.0 {
            true => Ok(Self { scale, good, skipped }),
            false => Err(format!("a loss scale of {scale} is no power of two from 1 to {MOST}")),
        }
    }
}

impl Default for LossScale {
    /// 65536, as in PyTorch.
    fn default() -> Self {
        Self::starting_at(16)
    }
}

impl LossScale {
    /// A scale of 2 to the power of `exponent`, at most 2^24; no step yet.
    pub fn starting_at(exponent: u8) -> Self {
        Self { scale: 2f32.powi(i32::from(exponent)).min(MOST), good: 0, skipped: 0 }
    }

    /// The scale now.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// How many steps have been skipped, in all.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// After a step whose gradient was finite.
    pub(crate) fn kept(&mut self) {
        self.good += 1;
        if self.good == PATIENCE {
            (self.scale, self.good) = ((2.0 * self.scale).min(MOST), 0);
        }
    }

    /// The gradient was not finite: the step is skipped and the scale halved. False where it would fall below 1: then it
    /// was not the scale.
    pub(crate) fn skip(&mut self) -> bool {
        if self.scale < 2.0 {
            return false;
        }
        *self = Self { scale: self.scale / 2.0, good: 0, skipped: self.skipped + 1 };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_after_good_steps_and_halves_down_to_one() {
        let mut scale = LossScale::starting_at(2);
        (1..PATIENCE).for_each(|_| scale.kept());
        assert_eq!(scale.scale(), 4.0);
        scale.kept();
        assert_eq!((scale.scale(), scale.good), (8.0, 0));
        scale.kept();
        assert!(scale.skip() && scale.skip() && scale.skip());
        assert_eq!((scale.scale(), scale.good, scale.skipped()), (1.0, 0, 3));
        let before = scale;
        assert!(!scale.skip());
        assert_eq!(scale, before);
        let mut most = LossScale::starting_at(30);
        (0..PATIENCE).for_each(|_| most.kept());
        assert_eq!(most.scale(), MOST);
    }

    #[test]
    fn a_checkpoint_gives_back_what_it_was_given_and_damage_is_refused() {
        let scale = LossScale { scale: 512.0, good: 7, skipped: 3 };
        let text = serde_json::to_string(&scale).unwrap();
        assert_eq!(serde_json::from_str::<LossScale>(&text).unwrap(), scale);
        for wrong in ["0.5", "3.0", "33554432.0"] {
            let text = text.replace("512.0", wrong);
            assert!(serde_json::from_str::<LossScale>(&text).is_err(), "{wrong}");
        }
    }
}
