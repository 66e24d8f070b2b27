use crate as limbeck;
use crate::batch::Rollouts;
use crate::check::{Facts, Fault};
use crate::error::Result;
use crate::replay::Recorded;
use crate::signal::DemonstratedTokens;
use crate::stages::score::Score;
use crate::world::roster::Unattended;
use crate::world::World;
use limbeck::Settings;

/// No teacher: the tokens of the response are what the student should say.
#[derive(Clone, Debug, Settings)]
#[settings(check = check)]
pub struct Demonstrated {}

const fn check(_: &Demonstrated, facts: &Facts) -> Option<Fault> {
    if facts.on_policy || facts.mixed {
        let says = "a student that imitates its own samples learns nothing: use `rollout: Reference` with this score";
        return Some(Fault { stage: "score", field: "", says });
    }
    None
}

impl<R: Unattended, J> Score<R, J> for Demonstrated {
    type Signal = DemonstratedTokens;

    fn ask<W: World>(&self, _: &W, _: &R, _: &Rollouts<J>) -> Result<DemonstratedTokens> {
        Ok(DemonstratedTokens)
    }

    fn remember(&self, _: &Recorded, _: &R, _: &Rollouts<J>) -> Result<DemonstratedTokens> {
        Ok(DemonstratedTokens)
    }
}
