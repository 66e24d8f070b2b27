//! Time and memory of a training step as one size grows and the others stay.

use std::process::ExitCode;

use clap::Args as Group;

use super::apart::apart;
use super::decoder::config;
use super::measured::Measured;
use super::pair::Pair;
use super::step::after_the_first;
use crate::cli::verbs::say;
use crate::error::Result;
use crate::models::Decoder;
use crate::tasks::{generate, TaskSpec};
use crate::tensor::{Cpu, Device};
use crate::world::tokenizer::Tokenizer;
use crate::world::Policy;

/// The sizes that grow, and how far; where one does, the others are as in [`USUAL`].
const GROWS: [(&str, &[usize]); 4] = [
    ("response", &[32, 64, 128, 256, 512, 1024]),
    ("group", &[2, 4, 8, 16, 32]),
    ("vocabulary", &[512, 2048, 8192, 32_768, 50_257]),
    ("layers", &[1, 2, 4, 8, 16]),
];

/// What does not grow.
const USUAL: [(&str, usize); 4] = [("response", 64), ("group", 8), ("vocabulary", 2048), ("layers", 2)];

/// The sizes of one point.
#[derive(Group)]
pub(super) struct Point {
    #[arg(long)]
    response: usize,
    #[arg(long)]
    group: usize,
    #[arg(long)]
    vocabulary: usize,
    #[arg(long)]
    layers: usize,
    #[arg(long)]
    steps: u64,
}

/// Every point, each in its own process so that its peak of memory is its own; a JSON object a line.
pub(super) fn all(steps: u64) -> Result<ExitCode> {
    for (grows, sizes) in GROWS {
        for size in sizes {
            let mut args = vec!["point".to_string(), "--steps".to_string(), steps.to_string()];
            for (name, usual) in USUAL {
                let value = if name == grows { *size } else { usual };
                args.extend([format!("--{name}"), value.to_string()]);
            }
            let said = apart(&args, &format!("{grows} {size}"))?;
            let mut line = serde_json::json!({ "grows": grows, "size": size });
            if let (Some(line), Some(said)) = (line.as_object_mut(), said.as_object()) {
                line.extend(said.clone());
            }
            say(&line.to_string())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Of a model with random weights that knows the tokens of the built-in tasks.
pub(super) struct Sizes {
    pub vocabulary: usize,
    pub layers: usize,
    /// Tokens of its context.
    pub room: usize,
}

impl Sizes {
    /// One such model, taught by another.
    pub fn pair(&self) -> Result<Pair> {
        self.pair_on(&Cpu::default())
    }

    /// The same on a device.
    pub fn pair_on<D: Device>(&self, device: &D) -> Result<Pair<D>> {
        let tokenizer = std::sync::Arc::new(Tokenizer::tasks()?);
        let config = config(128, self.layers, self.vocabulary.max(tokenizer.vocab_size()), 384, self.room);
        let policy = |name: &str, seed| -> Result<Policy<D>> {
            let decoder = Decoder::random(&config, seed, device)?;
            Ok(Policy { name: name.to_string(), decoder, tokenizer: tokenizer.clone() })
        };
        Ok(Pair::of(policy("student", 0)?, policy("teacher", 1)?))
    }
}

/// Prompts a step.
const BATCH: usize = 2;

impl Point {
    /// One model of this size with random weights, taught by another.
    pub fn measure(&self) -> Result<Measured> {
        let sizes = Sizes { vocabulary: self.vocabulary, layers: self.layers, room: self.response + 128 };
        let mut pair = sizes.pair()?;
        let vocabulary = pair.student.vocabulary();
        let rows = generate(&TaskSpec { levels: (2, 2), per_level: 16, ..TaskSpec::default() })?;
        let report = pair.train(rows, self.steps, (BATCH, self.group, self.response))?;
        let measured = Measured::of("point").on("response", self.response).on("group", self.group);
        let mut measured = measured.on("vocabulary", vocabulary).on("layers", self.layers);
        after_the_first(&report, &mut measured);
        Ok(measured)
    }
}
