use limbeck::prelude::*;

use crate::UniOpd;

/// Uni-OPD from a much larger teacher: one strong model scores every prompt, whatever its domain and whatever it shows.
///
/// arXiv 2605.03677, strong-to-weak setting (a 30B teacher, students of 4B and 1.7B): the loss of Eq. 1 and the stages and
/// constants of `UniOpd`, without routing by domain. The teacher must read an image as as many tokens as the student
/// does; it may be wider and deeper in eyes and decoder.
///
/// Where we differ is where `UniOpd` differs. The release also deletes empty thinking blocks of hybrid students before a
/// teacher that has none reads them; here both read the same tokens.
#[recipe(base = UniOpd, without(math, code))]
pub struct UniOpdStrongToWeak {
    #[teacher]
    strong: Frozen,
}
