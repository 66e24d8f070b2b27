use limbeck::prelude::*;

/// Supervised fine-tuning: the student imitates the reference answers.
///
/// The reference point that is not on-policy: `−log s(y_t)` over the tokens of the data's `reference`
/// column, the mean over each answer first. It makes the experts and the start of the example runs.
/// No paper's constants: AdamW (0.9, 0.98) at 1e-3 along a cosine with 50 warm-up steps.
#[recipe]
pub struct Sft {
    data: Prompts,
    rollout: Reference,
    score: Demonstrated,
    loss: CrossEntropy,
    #[with(lr = 1e-3, beta2 = 0.98, weight_decay = 0.01, warmup = 50, schedule = Schedule::Cosine)]
    step: AdamW,
}
