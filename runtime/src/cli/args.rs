use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand};

/// On-policy distillation recipes that are checked by the compiler and expand into a loop you can read.
#[derive(Parser)]
#[command(name = "limbeck", version, max_term_width = 100)]
pub(super) struct Args {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Every recipe: name, paper, base, one line
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The loop a recipe runs, in a file of ordinary Rust that trains without the macro
    Show {
        /// The recipe's name
        recipe: String,
        /// The loop alone, as it is in snapshots and run directories
        #[arg(long = "loop", conflicts_with_all = ["plan", "source"])]
        alone: bool,
        /// The plan instead, as RON
        #[arg(long, conflicts_with = "source")]
        plan: bool,
        /// The struct as it was written instead
        #[arg(long)]
        source: bool,
    },
    /// How two recipes differ: teachers, methods, values of settings, lines of the loop
    Diff {
        /// The recipe that is compared
        from: String,
        /// The recipe it is compared with
        to: String,
        /// The loops line by line as well
        #[arg(long = "loop")]
        loops: bool,
        /// As JSON
        #[arg(long, conflicts_with = "loops")]
        json: bool,
        /// Exit status 1 when they differ
        #[arg(long)]
        exit_code: bool,
    },
    /// Opens every file a run names, and says all that is wrong at once
    Check(RunArgs),
    /// Trains as a run file says
    Train {
        #[command(flatten)]
        run: RunArgs,
        /// The run directory
        #[arg(long)]
        out: Option<PathBuf>,
        /// One step, nothing saved
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        shown: Output,
        /// End when standard input does: how the runs of a sweep end with it
        #[arg(long, hide = true)]
        with_parent: bool,
    },
    /// Goes on with a run from its latest checkpoint, bit for bit
    Resume {
        /// The run directory
        directory: PathBuf,
        #[command(flatten)]
        shown: Output,
        /// End when standard input does: how the runs of a sweep end with it
        #[arg(long, hide = true)]
        with_parent: bool,
    },
    /// Recipes × settings × seeds, and one table of them all; goes on where it was stopped
    Sweep(SweepArgs),
    /// Accuracy per domain on held-out prompts, with confidence interval
    Eval {
        /// A run file: its student on its held-out prompts
        run: Option<PathBuf>,
        /// A model folder instead of the run's student
        #[arg(long)]
        model: Option<PathBuf>,
        /// Built-in held-out tasks: math, code, or both as `math,code`
        #[arg(long, conflicts_with = "run")]
        task: Option<String>,
        /// Samples per prompt: mean@k and pass@k
        #[arg(long)]
        samples: Option<usize>,
        /// Prompts per domain and level of the built-in tasks; 160 when absent
        #[arg(long, conflicts_with = "run")]
        per_level: Option<usize>,
        /// Sampling temperature; 0 is greedy
        #[arg(long)]
        temperature: Option<f64>,
        /// The seed, instead of the run's; 0 without a run
        #[arg(long)]
        seed: Option<u64>,
        #[command(flatten)]
        shown: Output,
    },
    /// What a model says to a prompt
    Generate {
        /// The model folder
        #[arg(long)]
        model: PathBuf,
        /// The prompt
        #[arg(long)]
        prompt: String,
        /// The prompt is what a user says: the model's chat template renders it
        #[arg(long)]
        chat: bool,
        /// Sampling temperature; 0 is greedy
        #[arg(long, default_value_t = 0.0)]
        temperature: f64,
        /// Nucleus sampling; 1 turns it off
        #[arg(long, default_value_t = 1.0)]
        top_p: f64,
        /// Only the so many likeliest tokens; 0 turns it off
        #[arg(long, default_value_t = 0)]
        top_k: usize,
        /// The longest response, in tokens
        #[arg(long, default_value_t = 256)]
        max_tokens: usize,
        /// The seed
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// The natural-log probability of each token after the first, as JSON
    Score {
        /// The model folder
        #[arg(long)]
        model: PathBuf,
        /// Text to score
        #[arg(long, conflicts_with = "tokens", required_unless_present = "tokens")]
        text: Option<String>,
        /// Token ids to score, as `5,17,3`
        #[arg(long)]
        tokens: Option<String>,
    },
    /// A recipe's decisions on recorded rollouts, without a model
    Replay {
        /// The recipe's name
        recipe: String,
        /// Recorded rollouts, as JSON Lines
        #[arg(long)]
        rollouts: PathBuf,
        /// A setting over the recipe's, as stage.field=VALUE; may be given again
        #[arg(long)]
        set: Vec<String>,
        /// The seed of what is chosen at random
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// The student of a run as a model folder in Hugging Face layout
    Export {
        /// The run directory
        directory: PathBuf,
        /// The model folder to write
        #[arg(long)]
        to: PathBuf,
        /// Weights in 16 bits (bfloat16) instead of 32
        #[arg(long)]
        bf16: bool,
    },
    /// A GGUF file as a model folder in Hugging Face layout
    ImportGguf {
        /// The GGUF file: a llama, qwen2 or qwen3 model
        file: PathBuf,
        /// The model folder to write
        #[arg(long)]
        to: PathBuf,
        /// Weights in 16 bits (bfloat16) instead of 32, which keep every number of the file
        #[arg(long)]
        bf16: bool,
    },
    /// A model folder with random weights, to train from nothing
    Init(InitArgs),
    /// Eyes for a decoder that has none, or more tokens for it, to train on
    Graft(GraftArgs),
    /// How fast whole pieces of Limbeck are on this machine; RAYON_NUM_THREADS says on how many threads
    Bench(super::bench::BenchArgs),
    /// A crate of your own: a recipe, a fork of it, a snapshot test and a run file
    New {
        /// The folder to make; its name is the crate's
        folder: PathBuf,
        /// Where the source of limbeck is; where this command was built from, when absent
        #[arg(long)]
        limbeck: Option<PathBuf>,
    },
}

#[derive(Group)]
pub(super) struct RunArgs {
    /// The run file
    pub run: PathBuf,
    /// A setting over the file's, as stage.field=VALUE or steps=50; may be given again
    #[arg(long)]
    pub set: Vec<String>,
    /// Another recipe on the same run
    #[arg(long)]
    pub recipe: Option<String>,
}

#[derive(Group)]
pub(super) struct SweepArgs {
    /// The run file
    pub run: PathBuf,
    /// The recipes, as A,B,C; the others are compared with the first. The run file's when absent
    #[arg(long, value_delimiter = ',')]
    pub recipe: Vec<String>,
    /// A setting and its values, as stage.field=V1,V2; given again, every choice of values is run
    #[arg(long)]
    pub set: Vec<String>,
    /// How many seeds (5 is 1 to 5), or which (1,4,7)
    #[arg(long)]
    pub seeds: String,
    /// Runs at a time; they share the cores
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
    /// The sweep's folder; runs/sweep-NAME when absent
    #[arg(long)]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub shown: Output,
}

#[derive(Group)]
pub(super) struct Output {
    /// Results as JSON
    #[arg(long)]
    pub json: bool,
    /// No progress
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Group)]
pub(super) struct GraftArgs {
    /// The model folder whose decoder gets eyes
    #[arg(long)]
    pub decoder: PathBuf,
    /// The model folder to write
    #[arg(long)]
    pub to: PathBuf,
    /// A model folder whose eyes it gets, instead of fresh ones
    #[arg(long, conflicts_with = "image")]
    pub eyes: Option<PathBuf>,
    /// Fresh eyes: pixels to a side of an image
    #[arg(long, requires = "patch")]
    pub image: Option<usize>,
    /// Pixels to a side of a patch
    #[arg(long, requires = "image")]
    pub patch: Option<usize>,
    /// So many patches to a side become one token
    #[arg(long, default_value_t = 2, requires = "image")]
    pub fold: usize,
    /// The width of the eyes' residual stream; its feed-forward layer is twice as wide
    #[arg(long, default_value_t = 64, requires = "image")]
    pub eye_hidden: usize,
    /// The eyes' layers
    #[arg(long, default_value_t = 2, requires = "image")]
    pub eye_layers: usize,
    /// The token that stands for an image; added where the tokenizer does not have it
    #[arg(long, default_value = super::graft::IMAGE)]
    pub mark: String,
    /// A tokenizer.json that begins with the decoder's tokens and has more
    #[arg(long)]
    pub tokenizer: Option<PathBuf>,
    /// Weights in 16 bits (bfloat16) instead of 32
    #[arg(long)]
    pub bf16: bool,
    /// The seed of what is new
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Group)]
pub(super) struct InitArgs {
    /// The model folder to write
    #[arg(long)]
    pub to: PathBuf,
    /// A tokenizer.json; the built-in tasks' when absent
    #[arg(long)]
    pub tokenizer: Option<PathBuf>,
    /// The width of the residual stream
    #[arg(long, default_value_t = 96)]
    pub hidden: usize,
    /// The number of layers
    #[arg(long, default_value_t = 2)]
    pub layers: usize,
    /// The number of query heads
    #[arg(long, default_value_t = 4)]
    pub heads: usize,
    /// The number of key and value heads; as many as query heads when absent
    #[arg(long)]
    pub kv_heads: Option<usize>,
    /// The width of the feed-forward layer
    #[arg(long, default_value_t = 256)]
    pub ffn: usize,
    /// Eyes for the built-in scenes: pixels to a side of an image. The tokenizer is then that of scenes
    #[arg(long, requires = "patch", conflicts_with = "tokenizer")]
    pub image: Option<usize>,
    /// Pixels to a side of a patch
    #[arg(long, requires = "image")]
    pub patch: Option<usize>,
    /// So many patches to a side become one token
    #[arg(long, default_value_t = 2, requires = "image")]
    pub fold: usize,
    /// The width of the eyes' residual stream; its feed-forward layer is twice as wide
    #[arg(long, default_value_t = 48, requires = "image")]
    pub eye_hidden: usize,
    /// The eyes' layers
    #[arg(long, default_value_t = 2, requires = "image")]
    pub eye_layers: usize,
    /// The longest prompt with its response, in tokens
    #[arg(long, default_value_t = 128)]
    pub context: usize,
    /// One table for embedding and head
    #[arg(long)]
    pub tied: bool,
    /// The seed of the weights
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
