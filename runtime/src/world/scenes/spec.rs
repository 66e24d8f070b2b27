//! Which scenes to make, as a run file says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::thing::CELLS;
use super::Colour;
use crate::error::{Error, Result};
use crate::world::tasks::Split;

/// The highest level there is.
pub const MAX_LEVEL: u32 = 4;

/// The largest pool that is kept in memory.
const MAX_ROWS: usize = 400_000;

/// What a prompt shows beyond its scene, by the name of what teachers read.
///
/// It is not re-exported: rustc would print those names with their whole paths, in every message that lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Help {
    /// The boxes, in line.
    Boxes,
    /// The caption, in line.
    Caption,
    /// Both, in line.
    BoxesAndCaption,
    /// The result, in line.
    ReferenceAnswer,
    /// What lies in the box of evidence, in place of the whole.
    Evidence,
}

/// Which scenes to make, and how their prompts and references are put.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneSpec {
    /// The lowest and the highest level; at 0 all things are named, which teaches to see.
    pub levels: (u32, u32),
    /// The fewest and the most things in a scene.
    pub things: (usize, usize),
    /// How many scenes of each level, each with one question.
    pub per_level: usize,
    /// The seed.
    pub seed: u64,
    /// Shares of the rows whose prompts show to everybody what else only teachers read: `^v<image>#r?ro01020708>`.
    pub helped: BTreeMap<Help, f64>,
    /// Probability that a number or a name in the reference is replaced by another of its kind.
    pub slips: f64,
    /// The same where single colours are asked for, by letter, instead of `slips`.
    pub slips_on: BTreeMap<String, f64>,
    /// Rows that are helped keep their true references.
    pub spare_helped: bool,
    /// Rows carry their worked answer as `reference`; without it a teacher that reads the answer reads the result alone.
    pub worked: bool,
    /// Training or test: no scene is ever in both.
    pub split: Split,
}

impl Default for SceneSpec {
    fn default() -> Self {
        Self {
            levels: (1, MAX_LEVEL),
            things: (3, 8),
            per_level: 256,
            seed: 0,
            helped: BTreeMap::new(),
            slips: 0.0,
            slips_on: BTreeMap::new(),
            spare_helped: false,
            worked: true,
            split: Split::Train,
        }
    }
}

impl SceneSpec {
    /// Is everything in range? The error names the field.
    pub fn check(&self) -> Result<()> {
        let (low, high) = self.levels;
        if low > high || high > MAX_LEVEL {
            let next = format!("write the lowest and the highest, between 0 and {MAX_LEVEL}: levels: (1, 3)");
            return Err(Error::call(format!("`levels` is ({low}, {high})")).next(next));
        }
        let (fewest, most) = self.things;
        if fewest == 0 || fewest > most || most > CELLS * CELLS {
            let next =
                format!("write the fewest and the most, between 1 and {}: things: (3, 8)", CELLS * CELLS);
            return Err(Error::call(format!("`things` is ({fewest}, {most})")).next(next));
        }
        let levels = (high - low + 1) as usize;
        if self.per_level == 0 || self.per_level.saturating_mul(levels) > MAX_ROWS {
            let next = format!("make from 1 scene to {MAX_ROWS} in all");
            return Err(Error::call(format!("`per_level` is {}", self.per_level)).next(next));
        }
        for (help, &helped) in &self.helped {
            share(&format!("helped[{help:?}]"), helped)?;
        }
        share("helped, all of it together,", self.helped.values().sum())?;
        share("slips", self.slips)?;
        for (letter, &slips) in &self.slips_on {
            if !Colour::ALL.iter().any(|colour| colour.letter().to_string() == *letter) {
                return Err(Error::call(format!("`slips_on` names {letter:?}, which is no colour"))
                    .next("name one of the letters r, g, b, y"));
            }
            share(&format!("slips_on[{letter:?}]"), slips)?;
        }
        Ok(())
    }

    /// How the row is helped that drew this number.
    pub(super) fn help(&self, drawn: f64) -> Option<Help> {
        let upto = |sum: &mut f64, (&help, share): (&Help, &f64)| {
            *sum += share;
            Some((help, *sum))
        };
        self.helped.iter().scan(0.0, upto).find(|(_, upto)| drawn < *upto).map(|(help, _)| help)
    }

    /// The probability that what is said of the colour `letter` is replaced.
    pub(super) fn slip_of(&self, letter: char) -> f64 {
        let mut buffer = [0; 4];
        self.slips_on.get(&*letter.encode_utf8(&mut buffer)).copied().unwrap_or(self.slips)
    }
}

fn share(field: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::call(format!("`{field}` is {value}")).next("write a number from 0.0 to 1.0"))
}
