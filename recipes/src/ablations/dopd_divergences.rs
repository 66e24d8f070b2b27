use limbeck::prelude::*;

use crate::Dopd;

/// DOPD's routing with one objective, one granularity and one weight: Jensen-Shannon over the top K.
///
/// arXiv 2606.30626, divergence × granularity (LiveBench at step 160): 41.3; the row "all, equal" of its token
/// types. Each token still learns from the policy it is routed to: our inference.
#[recipe(base = Dopd)]
pub struct EqualJsdTopK {
    #[with(light = 1.0, weak = 1.0, strong_whole = false, gentle = Divergence::Jsd { beta: 0.5 })]
    loss: _,
}

/// The same by the forward KL.
///
/// arXiv 2606.30626, divergence × granularity: 41.3.
#[recipe(base = EqualJsdTopK)]
pub struct EqualForwardTopK {
    #[with(strong = Divergence::ForwardKl, gentle = Divergence::ForwardKl)]
    loss: _,
}

/// The same by the reverse KL.
///
/// arXiv 2606.30626, divergence × granularity: 40.8.
#[recipe(base = EqualJsdTopK)]
pub struct EqualReverseTopK {
    #[with(strong = Divergence::ReverseKl, gentle = Divergence::ReverseKl)]
    loss: _,
}

/// The same over the whole vocabulary.
///
/// arXiv 2606.30626, divergence × granularity: 42.5. All rows are compared whole, so all are kept whole.
#[recipe(base = Dopd)]
pub struct EqualJsdFull {
    #[with(keep = 0)]
    score: _,
    #[with(light = 1.0, weak = 1.0, gentle = Divergence::Jsd { beta: 0.5 })]
    loss: Routed,
}

/// The whole vocabulary by the forward KL.
///
/// arXiv 2606.30626, divergence × granularity: 41.5.
#[recipe(base = EqualJsdFull)]
pub struct EqualForwardFull {
    #[with(strong = Divergence::ForwardKl, gentle = Divergence::ForwardKl)]
    loss: _,
}

/// The whole vocabulary by the reverse KL.
///
/// arXiv 2606.30626, divergence × granularity: 41.9.
#[recipe(base = EqualJsdFull)]
pub struct EqualReverseFull {
    #[with(strong = Divergence::ReverseKl, gentle = Divergence::ReverseKl)]
    loss: _,
}

/// One token in place of K: how likely the student and its source find the token that was sampled.
///
/// arXiv 2606.30626, divergence × granularity: 41.0. The paper does not say what a divergence of single tokens
/// is; here it is that of two outcomes, this token and any other.
#[recipe(base = Dopd)]
pub struct EqualJsdSampled {
    #[with(keep = 0)]
    score: _,
    #[with(
        light = 1.0,
        weak = 1.0,
        strong_whole = false,
        gentle = Divergence::Jsd { beta: 0.5 },
        support = Support::Sampled,
        tail = Tail::Bucket,
    )]
    loss: Routed<TopK<1>>,
}

/// The sampled token by the forward KL.
///
/// arXiv 2606.30626, divergence × granularity: 41.1.
#[recipe(base = EqualJsdSampled)]
pub struct EqualForwardSampled {
    #[with(strong = Divergence::ForwardKl, gentle = Divergence::ForwardKl)]
    loss: _,
}

/// The sampled token by the reverse KL.
///
/// arXiv 2606.30626, divergence × granularity: 40.8.
#[recipe(base = EqualJsdSampled)]
pub struct EqualReverseSampled {
    #[with(strong = Divergence::ReverseKl, gentle = Divergence::ReverseKl)]
    loss: _,
}
