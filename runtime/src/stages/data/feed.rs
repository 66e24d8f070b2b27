use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::batch::{Place, Prompt, Prompts};
use crate::error::{Error, Result};
use crate::log::Metrics;
use crate::rng::{Purpose, Stream};
use crate::run::Left;
use crate::stages::note_time;

/// Prompts in a seeded random order, epoch after epoch, with a cursor that can be saved.
pub struct Feed {
    seed: u64,
    prompts: Vec<Arc<Prompt>>,
    /// One epoch, unshuffled: a prompt may be in it several times.
    pool: Vec<usize>,
    shuffled: Vec<usize>,
    state: FeedState,
    /// Where it stood before the last batch.
    before: FeedState,
    left: Option<Arc<Mutex<Left>>>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(mut left) = self.left.as_ref().and_then(|left| left.lock().ok()) {
            left.feed(self.before.clone(), self.state.clone());
        }
    }
}

/// The cursor of a [`Feed`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedState {
    /// How often the pool has been gone through.
    pub epoch: u64,
    /// How many of this epoch's prompts have been drawn.
    pub position: usize,
    /// How many batches have been drawn.
    pub draws: u64,
    /// A fingerprint of the pool, so that a run never goes on over other data.
    pub pool: String,
}

impl Feed {
    /// A feed over `prompts`, of which `pool` is one epoch.
    pub fn new(seed: u64, prompts: Vec<Arc<Prompt>>, pool: Vec<usize>) -> Self {
        let mut bytes = Vec::new();
        for &i in &pool {
            bytes.extend_from_slice(prompts[i].text.as_bytes());
            bytes.push(0);
        }
        let state = FeedState { pool: crate::plan::fingerprint(&bytes), ..FeedState::default() };
        let mut feed =
            Self { seed, prompts, pool, shuffled: Vec::new(), before: state.clone(), state, left: None };
        feed.shuffle();
        feed
    }

    /// The next `count` prompts.
    ///
    /// # Errors
    /// When there are no prompts, or none are asked for.
    pub fn draw(&mut self, count: usize) -> Result<Prompts> {
        let start = Instant::now();
        if self.pool.is_empty() {
            return Err(Error::call("there are no prompts to draw from").at("data"));
        }
        if count == 0 {
            return Err(Error::call("a batch of 0 prompts would teach nothing")
                .at("batch")
                .next("set `batch` to at least 1"));
        }
        self.before = self.state.clone();
        let mut prompts_P = Vec::with_capacity(count);
        for _ in 0..count {
            if self.state.position == self.shuffled.len() {
                self.state.epoch += 1;
                self.state.position = 0;
                self.shuffle();
            }
            prompts_P.push(Arc::clone(&self.prompts[self.shuffled[self.state.position]]));
            self.state.position += 1;
        }
        let place = Place { seed: self.seed, step: self.state.draws };
        self.state.draws += 1;
        let mut ledger = Metrics::default();
        ledger.set("epoch", self.state.epoch as f64 + self.state.position as f64 / self.pool.len() as f64);
        note_time(&mut ledger, "data", start);
        Ok(Prompts { place, prompts_P, ledger })
    }

    /// Where the cursor goes when the loop ends.
    pub(crate) fn leave_in(&mut self, left: &Arc<Mutex<Left>>) {
        self.left = Some(Arc::clone(left));
    }

    /// Where the feed stands.
    pub fn state(&self) -> &FeedState {
        &self.state
    }

    /// Goes on where `state` stood.
    ///
    /// # Errors
    /// When the prompts are not the ones the state was saved over.
    pub fn restore(&mut self, state: FeedState) -> Result<()> {
        if state.pool != self.state.pool {
            return Err(Error::call("the prompts are not the ones this run was trained on")
                .at("data")
                .next("resume with the same data file, or start a new run"));
        }
        self.state = state;
        self.shuffle();
        Ok(())
    }

    fn shuffle(&mut self) {
        self.shuffled.clone_from(&self.pool);
        Stream::new(self.seed, Purpose::Shuffle, self.state.epoch, 0).shuffle(&mut self.shuffled);
    }
}
