use limbeck::prelude::*;

use crate::VanillaOpd;

/// On-policy distillation from one teacher, whatever a prompt is about and whatever it shows.
///
/// Uni-OPD's single-teacher baseline (arXiv 2605.03677, Eq. 1): the stages and constants of `VanillaOpd`, and no routing
/// by domain. Where we differ is where `VanillaOpd` differs.
#[recipe(base = VanillaOpd, without(math, code))]
pub struct VanillaOpdSingle {
    #[teacher]
    teacher: Frozen,
}
