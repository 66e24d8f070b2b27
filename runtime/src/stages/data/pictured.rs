use crate as limbeck;
use crate::check::Facts;
use crate::error::{Error, Result};
use crate::run::Run;
use crate::stages::data::{Data, Feed};
use crate::world::pinned::NO_EYES;
use crate::world::World;
use limbeck::Settings;

/// Every prompt once an epoch, in a seeded random order, and each shows an image. A student that is known to have no eyes
/// does not compile with it; any other is looked at when its files are opened.
#[derive(Clone, Debug, Settings)]
#[settings(facts = tell)]
pub struct Pictured {}

const fn tell(_: &Pictured, facts: Facts) -> Facts {
    Facts { shows: true, ..facts }
}

impl Data for Pictured {
    fn open<W: World>(&self, run: &Run, world: &W) -> Result<Feed> {
        const {
            assert!(W::SEES, "{}", NO_EYES);
        }
        let prompts = run.prompts(world)?;
        if let Some(prompt) = prompts.iter().find(|prompt| prompt.before().sights.is_empty()) {
            return Err(Error::call("the prompt shows no image, and `Pictured` is for prompts that do")
                .at(format!("{}, row {}", run.rows_name, prompt.index + 1))
                .next("give the row an image, or draw prompts with `Prompts`"));
        }
        let order = (0..prompts.len()).collect();
        Ok(Feed::new(run.seed, prompts, order))
    }
}
