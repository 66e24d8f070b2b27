use limbeck::prelude::*;

/// GRPO: no teacher; an answer is worth how much better it came out than its group.
///
/// arXiv 2402.03300 with the outcome reward 1 or 0: the advantage is `(r − mean) / (std + 1e-6)` over
/// the judged answers of a prompt (sample standard deviation), given to every token, under the same
/// clipped loss as `VanillaOpd`. Where we differ: no KL to a reference (coefficient 0), and the mean over
/// each answer comes before the mean over answers.
#[recipe]
pub struct Grpo {
    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    score: GroupOutcome,
    #[with(clip_low = 0.2, clip_high = 0.28)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
