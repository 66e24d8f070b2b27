use limbeck::prelude::*;

/// On-policy distillation over the whole vocabulary: the exact reverse KL at every token.
///
/// The full-vocabulary granularity of DOPD's preliminaries (arXiv 2606.30626, Eqs. 3 and 5): the mean
/// over each response of `KL(s‖q)`, then the mean over responses. The gradient flows through the
/// student's distributions, not through the sampling. It learns faster than the sampled token and needs
/// the teacher's logits. The other constants are `VanillaOpd`'s.
#[recipe]
pub struct FullVocabOpd {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
