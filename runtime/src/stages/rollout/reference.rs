use crate as limbeck;
use crate::batch::{Prompts, Response, Rollouts};
use crate::capability::Unjudged;
use crate::check::Facts;
use crate::error::{Error, Result};
use crate::stages::rollout::Rollout;
use crate::world::World;
use limbeck::Settings;

/// The response is the reference answer of the data row: not the student's own words.
#[derive(Clone, Debug, Settings)]
#[settings(facts = tell)]
pub struct Reference {}

const fn tell(_: &Reference, facts: Facts) -> Facts {
    Facts { group_size: 1, on_policy: false, reads_references: true, ..facts }
}

impl Rollout for Reference {
    fn respond<W: World>(&self, world: &W, prompts: Prompts) -> Result<Rollouts<Unjudged>> {
        let Prompts { place, prompts_P, ledger } = prompts;
        let mut responses_N = Vec::with_capacity(prompts_P.len());
        for (i, prompt) in prompts_P.iter().enumerate() {
            let tokens_T = prompt.reference.clone().ok_or_else(|| {
                Error::call("the row has no reference answer to imitate")
                    .at(format!("data, row {}, column `reference`", prompt.index + 1))
                    .next("add the column, or let the student answer with `rollout: Sample`")
            })?;
            let spoken = &tokens_T[..tokens_T.len().saturating_sub(1)];
            let text = world.student().tokenizer.decode(spoken);
            responses_N.push(Response { prompt: i, text, log_probs_T: Vec::new(), finished: true, tokens_T });
        }
        let kept_N = vec![true; responses_N.len()];
        Ok(Rollouts { place, prompts_P, responses_N, judgement: Unjudged, kept_N, ledger })
    }
}
