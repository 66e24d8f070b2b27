//! `UniOpd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `UniOpd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// Uni-OPD: two experts into one student, balanced by what it explores, calibrated by what came out right.
///
/// arXiv 2605.03677. Offline difficulty-aware balancing and online correctness-aware balancing (section
/// 3), outcome-guided margin calibration (section 4): where right answers of a prompt do not return at
/// least `delta` more than wrong ones, the missing margin is spread over both.
///
/// Constants are those of the paper's text-domain runs: groups of 16, ratio 1 within the group, mean
/// margin 0.4 in both directions, clip 0.2 / 0.28, gap mask 10, Adam (0.9, 0.98) at 1e-6 with 5
/// warm-up steps and weight decay 0.1; 64 prompts a step. Where we differ: a prompt is copied at most 4
/// times offline (the release has no code for it), and gradients are clipped to norm 1. At the
/// scale of a small student, `delta`, `gap_mask` and `lr` want other values: see the example runs.
#[derive(Clone, Debug)]
pub struct UniOpd {
    math: Frozen,
    code: Frozen,
    data: ByDifficulty,
    rollout: Sample,
    verify: TaskAnswer,
    balance: ByOutcome,
    score: SampledToken,
    calibrate: MarginShift,
    loss: PolicyGradient,
    step: AdamW,
}

impl Recipe for UniOpd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: each prompt hears the expert of its domain
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (ByDifficulty)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // verify: the task says right, wrong or not judged (TaskAnswer)
            let rollouts = self.verify.judge(rollouts)?;
            // balance: choose which rollouts to learn from (ByOutcome)
            let rollouts = self.balance.keep(rollouts)?;
            // score: math and code read the student's tokens, no gradient (SampledToken)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // calibrate: set the scores right by what is known of the outcome (MarginShift)
            let scored = self.calibrate.adjust(scored)?;
            // route: every token hears its prompt's teacher
            let routed = Routed::all(scored);
            // loss: student against teachers, on the student's own tokens (PolicyGradient)
            let mut grads = world.student().zero_grads()?;
            for micro in routed.chunks(run.micro_batch) {
                grads = self.loss.backward(world, &micro, grads, &mut log)?;
            }
            // step: move the student (AdamW)
            step.apply(world, grads, &mut log)?;
            // log: one line of numbers, and a held-out look when it is due (Jsonl)
            log.step(it, &routed, world)?;
            // checkpoint: written whole or not at all (Safetensors)
            if run.due(it) {
                run.save(it, &data, &step, world, &mut log)?;
            }
        }
        log.finish(world)
    }

    #[allow(clippy::needless_update)]
    const DEFAULT: Self = Self {
        math: Frozen::DEFAULT,
        code: Frozen::DEFAULT,
        data: ByDifficulty {
            shape: Shape::Auto,
            ..ByDifficulty::DEFAULT
        },
        rollout: Sample {
            group_size: 16,
            temperature: 1.0,
            ..Sample::DEFAULT
        },
        verify: TaskAnswer::DEFAULT,
        balance: ByOutcome {
            scope: Scope::Group,
            ratio: 1.0,
            ..ByOutcome::DEFAULT
        },
        score: SampledToken::DEFAULT,
        calibrate: MarginShift {
            scope: Scope::Group,
            statistic: Statistic::Mean,
            delta: 0.4,
            direction: Direction::Both,
            ..MarginShift::DEFAULT
        },
        loss: PolicyGradient {
            clip_low: 0.2,
            clip_high: 0.28,
            gap_mask: 10.0,
            ..PolicyGradient::DEFAULT
        },
        step: AdamW {
            lr: 1e-6,
            beta2: 0.98,
            weight_decay: 0.1,
            warmup: 5,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        let rollouts = recorded.judged()?;
        let rollouts = self.balance.keep(rollouts)?;
        let scored = self.score.recall(&recorded, &teachers, rollouts)?;
        let scored = self.calibrate.adjust(scored)?;
        let routed = Routed::all(scored);
        self.loss.replay(&recorded, routed)
    }

    #[allow(unused_variables)]
    fn readings<W: World>(
        &self,
        world: &W,
        asked: &Asked,
    ) -> Result<Vec<Reading>> {
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "UniOpd",
        doc: "Uni-OPD: two experts into one student, balanced by what it explores, calibrated by what came out right.\n\
        \n\
        arXiv 2605.03677. Offline difficulty-aware balancing and online correctness-aware balancing (section\n\
        3), outcome-guided margin calibration (section 4): where right answers of a prompt do not return at\n\
        least `delta` more than wrong ones, the missing margin is spread over both.\n\
        \n\
        Constants are those of the paper's text-domain runs: groups of 16, ratio 1 within the group, mean\n\
        margin 0.4 in both directions, clip 0.2 / 0.28, gap mask 10, Adam (0.9, 0.98) at 1e-6 with 5\n\
        warm-up steps and weight decay 0.1; 64 prompts a step. Where we differ: a prompt is copied at most 4\n\
        times offline (the release has no code for it), and gradients are clipped to norm 1. At the\n\
        scale of a small student, `delta`, `gap_mask` and `lr` want other values: see the example runs.",
        base: None,
        teachers: &[
            Teacher::new("math", "Frozen").of_domain("Domain::Math"),
            Teacher::new("code", "Frozen").of_domain("Domain::Code"),
        ],
        stages: &[
            Stage::new(
                "data",
                "ByDifficulty",
                &[("shape", "Shape::Auto")],
            ),
            Stage::new(
                "rollout",
                "Sample",
                &[("group_size", "16"), ("temperature", "1.0")],
            ),
            Stage::new("verify", "TaskAnswer", &[]),
            Stage::new(
                "balance",
                "ByOutcome",
                &[("scope", "Scope::Group"), ("ratio", "1.0")],
            ),
            Stage::new("score", "SampledToken", &[]),
            Stage::new(
                "calibrate",
                "MarginShift",
                &[
                    ("scope", "Scope::Group"),
                    ("statistic", "Statistic::Mean"),
                    ("delta", "0.4"),
                    ("direction", "Direction::Both"),
                ],
            ),
            Stage::new(
                "loss",
                "PolicyGradient",
                &[("clip_low", "0.2"), ("clip_high", "0.28"), ("gap_mask", "10.0")],
            ),
            Stage::new(
                "step",
                "AdamW",
                &[
                    ("lr", "1e-6"),
                    ("beta2", "0.98"),
                    ("weight_decay", "0.1"),
                    ("warmup", "5"),
                ],
            ),
            Stage::new("log", "Jsonl", &[]),
            Stage::new("checkpoint", "Safetensors", &[]),
        ],
        resolve: || Self::DEFAULT.settings(),
        loop_text: Self::LOOP,
    };

    const LOOP: &'static str = limbeck::this_file!();

    fn parts(&self) -> Parts<'_> {
        Vec::from([
            ("math", self.math.part()),
            ("code", self.code.part()),
            ("data", self.data.part()),
            ("rollout", self.rollout.part()),
            ("verify", self.verify.part()),
            ("balance", self.balance.part()),
            ("score", self.score.part()),
            ("calibrate", self.calibrate.part()),
            ("loss", self.loss.part()),
            ("step", self.step.part()),
        ])
    }

    fn parts_mut(&mut self) -> PartsMut<'_> {
        Vec::from([
            ("math", self.math.part_mut()),
            ("code", self.code.part_mut()),
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("verify", self.verify.part_mut()),
            ("balance", self.balance.part_mut()),
            ("score", self.score.part_mut()),
            ("calibrate", self.calibrate.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
