//! Everything that is summed over a batch goes through here, so that ranks can come behind it.
//! There is one rank now.

/// The sum over all ranks.
pub fn sum(here: f64) -> f64 {
    here
}
