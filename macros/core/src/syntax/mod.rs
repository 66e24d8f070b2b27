//! What was written: the struct, its fields and our attributes on them, every span kept.

pub mod attributes;
mod field;
mod item;

pub use field::{Field, Setting, TeacherWords};
pub use item::{base, docs, read, Base, Written};
