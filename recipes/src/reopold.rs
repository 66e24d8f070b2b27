use limbeck::prelude::*;

/// REOPOLD: no token can pull down without bound, and later only unsure tokens are trained on.
///
/// arXiv 2603.11137. The token reward `R = log q(y_t) − log s(y_t)` has a floor, `R̂ = max(R, (log λ)/(1−λ))`
/// with `λ = 0.1`, so −2.56 (eq 7). The first 50 steps explore: tokens under the floor are left out (eq 9).
/// Then it refines: the 20 % of the batch's tokens at which the student's entropy is highest (eq 10).
///
/// Read from a re-implementation that cites the equations, not from the authors' release. The floor is
/// their doing, so `VanillaOpd`'s mask of wide gaps is off. Our choice: the 20 % are the batch's. Where we
/// may differ: the mean over an answer divides by its length, tokens left out included. The other constants
/// are `VanillaOpd`'s. A recording is replayed as step 0; `route.explore_steps=0` replays the second phase.
#[recipe]
pub struct Reopold {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    score: SampledToken,
    #[with(lambda = 0.1, explore_steps = 50, keep = 0.2)]
    route: ExploreThenRefine,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = f64::INFINITY)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
