// A mistake in the base is the base's: its fork has nothing to add, wherever it is used.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    calibrte: MarginShift,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

#[recipe(base = MyOpd, without(verify))]
pub struct Unverified;

const RECIPES: &[limbeck::Entry] = &[limbeck::Entry::of::<Unverified>()];

fn main() -> std::process::ExitCode {
    limbeck::main(RECIPES)
}
