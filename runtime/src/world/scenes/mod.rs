//! Scenes made from a seed: coloured shapes and digits on a grid, and graded questions about them with exact answers.
//!
//! A scene is an image of 32 x 32 pixels, 4 x 4 cells of 8. A thing is a circle `o`, a square `q`, a triangle `a`, a cross
//! `x` or a digit, and it is red `r`, green `g`, blue `b` or yellow `y`. Questions ask for all that is of a colour (`r`), of
//! a shape (`o`), or of both (`ro`); an answer names what it is about in reading order, `n` where that is nothing, then says
//! the result after the only `=`:
//!
//! ```text
//! level 0   ^v<image>d>        =ro,bq,r7                all that is there
//! level 1   ^v<image>#r>       ro,r7=2                  how many
//! level 2   ^v<image>#r:b>     ro,r7;bq=m               more (m), less (l) or as many (s)
//! level 2   ^v<image>lro>      bq,ro=bq                 what stands left of it in its row, n for nothing
//! level 3   ^v<image>#r+#b>    ro,r7:2;bq:1=3           how many together, or more of the first (`-`)
//! level 4   ^v<image>+r>       r7,r2=9                  the sum of its digits
//! ```
//!
//! What only teachers may read: `boxes`, a label and four coordinates of everything the question is about; `evidence`, the
//! box around all that; `caption`, the things of the whole scene without their places.

mod judge;
mod paint;
mod pool;
mod question;
mod spec;
mod thing;

use super::Domain;
use spec::Help;

pub use judge::SceneVerifier;
pub use pool::generate;
pub use question::Question;
pub use spec::{SceneSpec, MAX_LEVEL};
pub use thing::{Colour, Kind, Scene, Thing};

/// The domains of built-in prompts of which one is seen: the text-only task `code`, and scenes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modal {
    /// `code`: what a small program prints, as text.
    Code,
    /// `scene`: what an image shows.
    Scene,
}

impl Domain for Modal {
    const ALL: &'static [Self] = &[Self::Code, Self::Scene];

    fn name(&self) -> &'static str {
        ["code", DOMAIN][*self as usize]
    }
}

/// What rows of scenes are of.
pub const DOMAIN: &str = "scene";

/// The letters of scenes that the tasks' tokenizer does not have.
pub(super) const LETTERS: &str = "v#,gboqayx";
