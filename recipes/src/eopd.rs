use limbeck::prelude::*;

/// EOPD: where the teacher is unsure itself, the student also learns what else it might say.
///
/// arXiv 2603.07079, Eqs. 7 to 10: the clipped sampled reverse KL at every token, plus the forward KL on
/// the teacher's top 16 where the teacher's entropy is above 0.8 nats (the student is not renormalised).
/// Read from a re-implementation that cites the equations, not from the authors' release. Where we
/// differ: the mean over each answer comes first (the paper takes the mean over all tokens).
#[recipe]
pub struct Eopd {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    score: FullVocab,
    #[with(threshold = 0.8)]
    loss: EntropyGated<TopK<16>>,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
