//! `limbeck bench`: how fast whole pieces of Limbeck are on this machine.

mod apart;
mod by_hand;
mod decoder;
mod eyes;
mod growth;
mod measured;
mod pair;
mod rollout;
mod step;
mod verify;
mod vocabulary;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as Group, Subcommand};

use super::verbs::say;
use crate::error::{Error, Result};
use crate::tensor::Precision;
use growth::Point;
use vocabulary::HeadPoint;

#[derive(Group)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    piece: Option<Piece>,
    /// The device that `--verify` looks at
    #[arg(long, default_value = "cuda", value_parser = ["cuda"])]
    device: String,
    /// Compare a GPU with the CPU, operation by operation and over a whole recipe, and time it
    #[arg(long)]
    verify: bool,
    /// Let the GPU's matrix products round to TF32
    #[arg(long)]
    tf32: bool,
    /// Let them read halves, and scale losses
    #[arg(long, conflicts_with = "tf32")]
    f16: bool,
    /// Leave out what takes a large model
    #[arg(long)]
    small: bool,
    /// Where `--verify` writes its numbers
    #[arg(long, default_value = "verify.json")]
    out: PathBuf,
    /// As JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Piece {
    /// A small decoder with random weights: forward, backward, training step, decoding
    Decoder {
        /// Tokens in the vocabulary
        #[arg(long, default_value_t = 2048)]
        vocabulary: usize,
        /// How often each is measured
        #[arg(long, default_value_t = 7)]
        repeats: usize,
    },
    /// How many tokens a second a model says
    Rollout {
        /// The model folder
        model: PathBuf,
        /// Responses said together
        #[arg(long, default_value_t = 8)]
        rows: usize,
        /// Tokens of each response
        #[arg(long, default_value_t = 64)]
        new: usize,
        /// How often it is measured
        #[arg(long, default_value_t = 3)]
        repeats: usize,
    },
    /// Whole steps of distillation over the full vocabulary, as a recipe runs them
    Step {
        /// The model folder, for student and teacher
        model: PathBuf,
        /// Prompts a step, each answered once
        #[arg(long, default_value_t = 8)]
        rows: usize,
        /// Tokens of each response
        #[arg(long, default_value_t = 32)]
        new: usize,
        /// Steps; the first is not counted
        #[arg(long, default_value_t = 4)]
        steps: u64,
    },
    /// Time and memory of a training step as responses, groups, vocabulary and layers grow: JSON Lines
    Growth {
        /// Steps at each point; the first is not counted
        #[arg(long, default_value_t = 4)]
        steps: u64,
    },
    /// What a recipe's loop costs beside the same steps written by hand
    Loop {
        /// How often each is run, in turn
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Steps of a run; the first is not counted
        #[arg(long, default_value_t = 9)]
        steps: u64,
    },
    /// What looking at images costs beside reading as many tokens
    Eyes {
        /// Pixels to a side of an image, a multiple of 32
        #[arg(long, default_value_t = 256)]
        side: usize,
        /// How often each is measured
        #[arg(long, default_value_t = 7)]
        repeats: usize,
    },
    /// The output layer and its losses, some rows at a time and all at once
    Head {
        /// How often each is measured
        #[arg(long, default_value_t = 3)]
        repeats: usize,
    },
    /// One measurement of `head`, in a process of its own
    #[command(hide = true)]
    HeadPoint(HeadPoint),
    /// One point of `growth`, in a process of its own
    #[command(hide = true)]
    Point(Point),
}

pub(super) fn run(args: &BenchArgs) -> Result<ExitCode> {
    let piece = match &args.piece {
        None if args.verify => {
            let precision = match (args.tf32, args.f16) {
                (true, _) => Precision::Tf32,
                (_, true) => Precision::F16,
                _ => Precision::F32,
            };
            return say(&verify::run(&args.out, precision, args.small)?);
        }
        None => {
            return Err(Error::call("nothing is to be measured")
                .at("bench")
                .next("name a piece (`limbeck bench --help` lists them), or say `--device cuda --verify`"))
        }
        Some(_) if args.verify => {
            return Err(Error::call("`--verify` stands by itself")
                .at("bench")
                .next("say `limbeck bench --device cuda --verify`"))
        }
        Some(piece) => piece,
    };
    let measured = match piece {
        Piece::Decoder { vocabulary, repeats } => {
            decoder::measure(positive(*vocabulary)?, positive(*repeats)?)?
        }
        Piece::Rollout { model, rows, new, repeats } => {
            rollout::measure(model, positive(*rows)?, positive(*new)?, positive(*repeats)?)?
        }
        Piece::Step { model, rows, new, steps } => {
            step::measure(model, positive(*rows)?, positive(*new)?, several(*steps)?)?
        }
        Piece::Eyes { side, repeats } => eyes::measure(side_of(*side)?, positive(*repeats)?)?,
        Piece::Growth { steps } => return growth::all(several(*steps)?),
        Piece::Point(point) => point.measure()?,
        Piece::Loop { rounds, steps } => by_hand::measure(positive(*rounds)?, several(*steps)?, 64)?,
        Piece::Head { repeats } => return vocabulary::all(positive(*repeats)?, args.json),
        Piece::HeadPoint(point) => point.measure()?,
    };
    say(&if args.json { measured.to_json().to_string() } else { measured.to_string() })
}

fn positive(number: usize) -> Result<usize> {
    match number {
        0 => Err(Error::call("nothing can be measured 0 times or on 0 tokens")
            .at("bench")
            .next("give 1 or more")),
        number => Ok(number),
    }
}

/// An image of whole squares of patches, whose tokens fit the decoder's positions.
fn side_of(side: usize) -> Result<usize> {
    match side {
        32..=960 if side.is_multiple_of(32) => Ok(side),
        _ => Err(Error::call(format!("{side} pixels do not make whole squares of patches"))
            .at("--side")
            .next("give a multiple of 32, up to 960")),
    }
}

/// Steps, of which the first warms up.
fn several(steps: u64) -> Result<u64> {
    match steps {
        0 | 1 => Err(Error::call("the first step is not counted").at("--steps").next("give 2 or more")),
        steps => Ok(steps),
    }
}
