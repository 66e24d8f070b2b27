use limbeck::prelude::*;

/// Uni-OPD across modalities: one student with eyes, an expert of code that reads text only, an expert of seen mathematics.
///
/// arXiv 2605.03677, cross-modal setting: each prompt goes to one of the two, as in `UniOpd`; no prompt changes its
/// modality. The loss is Eq. 1's reverse KL on the sampled tokens, and an image's tokens are never among these. Margins as
/// in its multimodal runs: means within a group, only what came out right is lifted, and only above 0. Rows are of the
/// domains `code` and `scene`; a teacher without eyes may sit where no image is shown.
///
/// Where we differ: where `UniOpd` differs. Constants of the cross-modal runs beyond the margin's are not given, so they
/// are those of its text runs.
#[recipe]
pub struct UniOpdCrossModal {
    #[teacher(domain = Modal::Code)]
    code: Frozen,
    #[teacher(domain = Modal::Scene)]
    scene: Frozen,

    #[with(shape = Shape::Auto)]
    data: ByDifficulty,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    #[with(scope = Scope::Group, ratio = 1.0)]
    balance: ByOutcome,
    score: SampledToken,
    #[with(scope = Scope::Group, statistic = Statistic::Mean, delta = 0.0, direction = Direction::CorrectUp)]
    calibrate: MarginShift,
    #[with(clip_low = 0.2, clip_high = 0.28, gap_mask = 10.0)]
    loss: PolicyGradient,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
