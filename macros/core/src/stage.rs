//! The closed list of stages, in the order the loop runs.

/// A stage of the loop. The order of the variants is the order of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageName {
    Data,
    Rollout,
    Verify,
    Balance,
    Score,
    Calibrate,
    Route,
    Loss,
    Step,
    Log,
    Checkpoint,
}

/// What a recipe that leaves a stage out gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The stage must be there.
    Refused,
    /// The loop does without.
    NoLine,
    /// The loop uses this method, with its own settings.
    Default(&'static str),
}

impl StageName {
    /// Every stage, in loop order.
    pub const ALL: [Self; 11] = [
        Self::Data,
        Self::Rollout,
        Self::Verify,
        Self::Balance,
        Self::Score,
        Self::Calibrate,
        Self::Route,
        Self::Loss,
        Self::Step,
        Self::Log,
        Self::Checkpoint,
    ];

    /// The stage as a field name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Rollout => "rollout",
            Self::Verify => "verify",
            Self::Balance => "balance",
            Self::Score => "score",
            Self::Calibrate => "calibrate",
            Self::Route => "route",
            Self::Loss => "loss",
            Self::Step => "step",
            Self::Log => "log",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// What its absence means.
    #[must_use]
    pub const fn absent(self) -> Absent {
        match self {
            Self::Data | Self::Rollout | Self::Score | Self::Loss | Self::Step => Absent::Refused,
            Self::Verify | Self::Balance | Self::Calibrate | Self::Route => Absent::NoLine,
            Self::Log => Absent::Default("Jsonl"),
            Self::Checkpoint => Absent::Default("Safetensors"),
        }
    }

    /// The stage of this exact name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// The stage that users of other tools know under this word.
    #[must_use]
    pub fn also_known_as(word: &str) -> Option<Self> {
        Some(match word {
            "dataset" | "prompts" | "source" => Self::Data,
            "sample" | "sampler" | "generate" | "generation" | "rollouts" => Self::Rollout,
            "reward" | "judge" | "grade" | "verifier" => Self::Verify,
            "filter" | "select" | "balancing" => Self::Balance,
            "estimator" | "signal" | "divergence" => Self::Score,
            "mask" | "shift" | "margin" | "calibration" => Self::Calibrate,
            "routing" | "router" => Self::Route,
            "objective" | "criterion" => Self::Loss,
            "optimizer" | "optimiser" | "optim" | "update" => Self::Step,
            "logger" | "metrics" => Self::Log,
            "save" | "saver" => Self::Checkpoint,
            _ => return None,
        })
    }
}
