//! Eyes for a decoder, as in Idefics3 and SmolVLM: an image becomes patches, a transformer reads them, squares of them
//! are folded into one row each, and a projection makes these rows what the decoder reads in the places of a prompt's
//! image tokens.

mod config;
mod parts;
mod picture;
mod tower;

pub use config::{Eyes, VisionConfig};
pub use parts::Part;
pub use picture::{Picture, Sight};

pub(super) use config::split;
pub(super) use parts::{plan, EyePlaces};
pub(crate) use picture::patches_of;

#[cfg(test)]
mod tests;
