use limbeck::prelude::*;

/// Vision-OPD: the student learns from itself, shown where in the picture to look.
///
/// arXiv 2605.18740. The self-teacher, a running mean of the student, sees the region of evidence, the
/// student the whole picture; no other teacher, no verifier. Over the student's own answers, the
/// generalised Jensen-Shannon divergence with β = ½ on its 100 likeliest tokens, weighted by the
/// importance ratio, at most 2. Of the release are also the mean's rate of 0.05, groups of 8, answers of
/// up to 1024 tokens and AdamW at 2e-6.
///
/// The column `evidence` is a box in the prompt's first image, and the teacher sees what lies in it, scaled to what its
/// eyes take; of a prompt without images it is text, read beyond the prompt.
///
/// Where we differ: that all other tokens count as one is our inference: the release builds on SDPO's code, which
/// does that.
#[recipe]
pub struct VisionOpd {
    #[teacher(reads = Evidence)]
    #[with(rate = 0.05)]
    teacher: Ema,

    data: Prompts,
    #[with(group_size = 8, max_response_tokens = 1024)]
    rollout: Sample,
    score: FullVocab,
    #[with(beta = 0.5, tail = Tail::Bucket, importance_clip = 2.0)]
    loss: Jsd<UpTo<100>>,
    #[with(lr = 2e-6)]
    step: AdamW,
}
