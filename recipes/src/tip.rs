use limbeck::prelude::*;

/// TIP: only the tokens are trained on at which the student is unsure or far from the teacher.
///
/// arXiv 2604.14084. A token's importance is `ĥ + d̂ − ĥd̂`, with the student's entropy `ĥ` and its
/// divergence from the teacher `d̂`, each over its range in the batch (the highest 2 % of the entropies
/// count as one). The more important half is trained on with the reverse KL over the whole vocabulary.
/// The two axes and the 50 % are the abstract's; the formula is a re-implementation's, so this is from a
/// secondary source. `route.importance = Entropy` is the variant that asks the entropy alone.
///
/// Not given, so our choice: the divergence of `d̂` is the loss's own, `KL(s‖q)`; the share is taken of the
/// whole batch. Where we may differ: the mean over an answer divides by its length, tokens left out
/// included, where TIP is described as a mean over retained tokens (at 50 % about twice the gradient,
/// which Adam hardly notices). The other constants are `FullVocabOpd`'s.
#[recipe]
pub struct Tip {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    score: Contrasted,
    #[with(keep = 0.5, importance = Importance::SoftOr, clip = 0.02)]
    route: ByImportance,
    loss: ReverseKl,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
