//! The guide, chapter by chapter: `docs/guide/` in the repository, and every block of Rust in it compiled.

#[doc = include_str!("../../../docs/guide/first_recipe.md")]
pub mod first_recipe {}

#[doc = include_str!("../../../docs/guide/stages.md")]
pub mod stages {}

#[doc = include_str!("../../../docs/guide/teachers.md")]
pub mod teachers {}

#[doc = include_str!("../../../docs/guide/servers.md")]
pub mod servers {}

#[doc = include_str!("../../../docs/guide/forks.md")]
pub mod forks {}

#[doc = include_str!("../../../docs/guide/snapshots.md")]
pub mod snapshots {}

#[doc = include_str!("../../../docs/guide/runs.md")]
pub mod runs {}

#[doc = include_str!("../../../docs/guide/data.md")]
pub mod data {}

#[doc = include_str!("../../../docs/guide/images.md")]
pub mod images {}

#[doc = include_str!("../../../docs/guide/verifiers.md")]
pub mod verifiers {}

#[doc = include_str!("../../../docs/guide/own_methods.md")]
pub mod own_methods {}

#[doc = include_str!("../../../docs/guide/ejecting.md")]
pub mod ejecting {}

#[doc = include_str!("../../../docs/guide/inside.md")]
pub mod inside {}
