use limbeck::prelude::*;

use crate::UniOpd;

/// Uni-OPD with one teacher for every prompt.
///
/// arXiv 2605.03677, its single-teacher and strong-to-weak settings: the stages and constants of
/// `UniOpd`, and no routing by domain. Where we differ is where `UniOpd` differs.
#[recipe(base = UniOpd, without(math, code))]
pub struct UniOpdSingle {
    #[teacher]
    teacher: Frozen,
}
