use limbeck::prelude::*;

use super::EqualJsdTopK;
use crate::Dopd;

/// DOPD in which only HT tokens learn, each as `Dopd` has it.
///
/// arXiv 2606.30626, token types; the paper has this row for one objective only (`EqualHt`).
#[recipe(base = Dopd)]
pub struct AdaptiveHt {
    #[with(learn = RegimeSet { lh: false, ll: false, ht: true, hs: false })]
    loss: _,
}

/// DOPD in which only HT and LH tokens learn.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 41.0 / 45.4 / 47.9, against
/// 45.7 / 48.4 / 49.8 for the whole. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = Dopd)]
pub struct AdaptiveHtLh {
    #[with(learn = RegimeSet { lh: true, ll: false, ht: true, hs: false })]
    loss: _,
}

/// DOPD in which only HT and LL tokens learn.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 39.7 / 42.3 / 44.8, against
/// 45.7 / 48.4 / 49.8 for the whole. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = Dopd)]
pub struct AdaptiveHtLl {
    #[with(learn = RegimeSet { lh: false, ll: true, ht: true, hs: false })]
    loss: _,
}

/// DOPD in which only HT and HS tokens learn.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 40.1 / 44.9 / 47.6, against
/// 45.7 / 48.4 / 49.8 for the whole. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = Dopd)]
pub struct AdaptiveHtHs {
    #[with(learn = RegimeSet { lh: false, ll: false, ht: true, hs: true })]
    loss: _,
}

/// Only HT tokens learn, by one objective.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 41.0 / 43.7 / 45.3, against
/// 38.4 / 40.9 / 41.3 when all learn alike. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = EqualJsdTopK)]
pub struct EqualHt {
    #[with(learn = RegimeSet { lh: false, ll: false, ht: true, hs: false })]
    loss: _,
}

/// Only HT and LH tokens learn, by one objective and with one weight.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 39.9 / 42.9 / 45.0, against
/// 38.4 / 40.9 / 41.3 when all learn alike. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = EqualJsdTopK)]
pub struct EqualHtLh {
    #[with(learn = RegimeSet { lh: true, ll: false, ht: true, hs: false })]
    loss: _,
}

/// Only HT and LL tokens learn, by one objective and with one weight.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 38.6 / 41.0 / 42.7, against
/// 38.4 / 40.9 / 41.3 when all learn alike. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = EqualJsdTopK)]
pub struct EqualHtLl {
    #[with(learn = RegimeSet { lh: false, ll: true, ht: true, hs: false })]
    loss: _,
}

/// Only HT and HS tokens learn, by one objective and with one weight.
///
/// arXiv 2606.30626, token types (LiveBench at steps 40 / 80 / 160): 39.2 / 42.7 / 44.5, against
/// 38.4 / 40.9 / 41.3 when all learn alike. Tokens of the other regimes have no loss and count in the mean: our inference.
#[recipe(base = EqualJsdTopK)]
pub struct EqualHtHs {
    #[with(learn = RegimeSet { lh: false, ll: false, ht: true, hs: true })]
    loss: _,
}
