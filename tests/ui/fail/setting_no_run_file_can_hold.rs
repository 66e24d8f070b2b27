// A setting of a type that cannot be read from a run file.
use limbeck::batch::Rollouts;
use limbeck::capability::Unjudged;
use limbeck::prelude::*;
use limbeck::stages::verify::Verify;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Glad,
    Sad,
}

/// Everything is right on a good day.
#[derive(Clone, Debug, Settings)]
pub struct ByMood {
    /// What kind of day it is.
    #[setting(default = Mood::Glad)]
    pub mood: Mood,
}

impl Verify for ByMood {
    fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> limbeck::Result<(Vec<Option<bool>>, usize)> {
        Ok((vec![Some(self.mood == Mood::Glad); rollouts.responses_N.len()], 0))
    }
}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    #[with(mood = Mood::Sad)]
    verify: ByMood,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

fn main() {}
