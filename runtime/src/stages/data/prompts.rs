use crate as limbeck;
use crate::error::Result;
use crate::run::Run;
use crate::stages::data::{Data, Feed};
use crate::world::World;
use limbeck::Settings;

/// Every prompt once an epoch, in a seeded random order.
#[derive(Clone, Debug, Settings)]
pub struct Prompts {}

impl Data for Prompts {
    fn open<W: World>(&self, run: &Run, world: &W) -> Result<Feed> {
        let prompts = run.prompts(world)?;
        let order = (0..prompts.len()).collect();
        Ok(Feed::new(run.seed, prompts, order))
    }
}
