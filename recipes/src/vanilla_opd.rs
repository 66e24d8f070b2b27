use limbeck::prelude::*;

/// On-policy distillation, plain: each token is worth what the teacher thinks of it.
///
/// The student answers, the expert of the prompt's domain reads the same tokens, and the reward of a
/// token is `log q(y_t) − log s(y_t)`: the sampled reverse KL, without a verifier (Thinking Machines,
/// "On-policy distillation", 2025; the baseline of Uni-OPD, arXiv 2605.03677, Eq. 1).
///
/// Constants are those of Uni-OPD's release: 16 rollouts a prompt, clip 0.2 / 0.28, gap mask 10,
/// Adam (0.9, 0.98) at 1e-6 with 5 warm-up steps and weight decay 0.1. Where we differ: gradients are
/// clipped to norm 1.
#[recipe]
pub struct VanillaOpd {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    score: SampledToken,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
