use limbeck::prelude::*;

/// ExOPD: beyond the teacher, in the direction that leads away from where the student started.
///
/// G-OPD, arXiv 2602.12125: the reward of a token is `λ log q + (1 − λ) log π_ref − log s` with
/// `λ = 1.25` and the student at step 0 as reference; at `λ = 1` it is `VanillaOpd`, bit for bit.
///
/// The other constants are `VanillaOpd`'s, so that only the reward differs. Where we differ from the
/// release: it bounds rollout importance ratios at 5 where we clip at 0.2 / 0.28, and trains at 1e-5.
#[recipe]
pub struct ExOpd {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,
    #[teacher]
    reference: Start,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    #[with(lambda = 1.25)]
    score: Extrapolated,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
