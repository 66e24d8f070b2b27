use limbeck::prelude::*;

/// SDPO: the student learns from itself, shown what came out right or why it was wrong.
///
/// arXiv 2601.20802. The self-teacher, a running mean of the student, reads another right response of
/// the group, or else what the environment said of this one; responses with neither are left out.
/// `KL(s(x)‖sg s(x, f))` (eq 1) is, as released, the Jensen-Shannon divergence with β = ½ over the
/// student's 100 likeliest tokens and all others as one (a smaller vocabulary as a whole), weighted by
/// the importance ratio, at most 2. Of the release are also the mean's rate of 0.05, groups of 8 and
/// AdamW at 1e-5.
///
/// Where we differ: right is what the verifier says (the release: a score above ½); the mean over each
/// response comes first; with one update a rollout the importance ratio is 1 at every token.
#[recipe]
pub struct Sdpo {
    #[teacher(reads = SuccessOrFeedback)]
    #[with(rate = 0.05)]
    teacher: Ema,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    #[with(beta = 0.5, tail = Tail::Bucket, importance_clip = 2.0)]
    loss: Jsd<UpTo<100>>,
    #[with(lr = 1e-5)]
    step: AdamW,
}
