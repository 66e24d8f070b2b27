// A teacher reads and never samples: it has no temperature.
// (slime#2085, verl#5592: the teacher is scored at the wrong temperature, or at 0)
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    #[with(temperature = 0.7)]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8, temperature = 1.0)]
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

fn main() {}
