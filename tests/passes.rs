//! What must compile. What must not is in `ui/`.

#[path = "passes/forks.rs"]
mod forks;
#[path = "passes/names.rs"]
mod names;
#[path = "passes/pinned.rs"]
mod pinned;
