//! The routes that train on a part of the tokens or weigh them, through stages and `replay`: the
//! published numbers, a second and plain writing of each, and what must hold for any numbers.

#[path = "common/mod.rs"]
mod common;
#[path = "routes/dopd.rs"]
mod dopd;
#[path = "routes/kept.rs"]
mod kept;
#[path = "routes/models.rs"]
mod models;
#[path = "routes/prune.rs"]
mod prune;
#[path = "routes/recorded.rs"]
mod recorded;
#[path = "routes/reopold.rs"]
mod reopold;
#[path = "routes/slope.rs"]
mod slope;
#[path = "routes/tip.rs"]
mod tip;
#[path = "routes/trained.rs"]
mod trained;
#[path = "routes/va_opd.rs"]
mod va_opd;
