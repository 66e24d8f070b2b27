//! What a teacher reads before a prompt has been answered: what `limbeck check` looks at and shows.

use std::sync::Arc;

use crate::batch::{Place, Prompt, Response, Rollouts};
use crate::capability::Judged;
use crate::error::Result;
use crate::log::Metrics;
use crate::privileged::Gives;
use crate::stages::score::read::{contexts, Contexts};
use crate::world::roster::OneVoice;
use crate::world::tokenizer::Tokenizer;
use crate::world::World;

/// A prompt that nobody has answered yet: rollouts with one response, of no tokens.
pub struct Asked(Rollouts<Judged>);

impl Asked {
    pub(crate) fn new(prompt: Arc<Prompt>) -> Self {
        let unanswered = Response {
            prompt: 0,
            tokens_T: Vec::new(),
            text: String::new(),
            log_probs_T: Vec::new(),
            finished: false,
        };
        Self(Rollouts {
            place: Place { seed: 0, step: 0 },
            prompts_P: vec![prompt],
            responses_N: vec![unanswered],
            judgement: Judged { outcomes_N: vec![None] },
            kept_N: vec![true],
            ledger: Metrics::default(),
        })
    }
}

/// What one teacher reads before the responses to a prompt.
pub struct Reading {
    /// Whose context it is.
    pub(crate) seat: &'static str,
    contexts: Contexts,
}

impl Reading {
    /// What the teacher that `voice` gives this prompt reads, found by the function that training reads
    /// with.
    ///
    /// # Errors
    /// As in training: a domain nobody teaches, a row without what the teacher reads, no place for it.
    pub fn of<W: World, V: OneVoice>(voice: &V, world: &W, Asked(rollouts): &Asked) -> Result<Self>
    where
        Judged: Gives<V::Needs>,
    {
        let seat = voice.voice(rollouts.prompt_of(0).domain())?;
        Ok(Self { seat, contexts: contexts(world, rollouts, |known| voice.look(known))? })
    }

    /// Whether there is anything to read as yet. What depends on rollouts is not there before a run.
    pub(crate) fn found(&self) -> bool {
        self.contexts.heard_N[0]
    }

    /// How many tokens the teacher reads before the response begins.
    pub(crate) fn length(&self) -> usize {
        self.contexts.length(0)
    }

    /// The context, opened for the eyes of whoever runs `limbeck check`.
    pub(crate) fn opened_for_check(&self, tokenizer: &Tokenizer) -> String {
        self.contexts.opened_for_check(0, tokenizer)
    }
}
