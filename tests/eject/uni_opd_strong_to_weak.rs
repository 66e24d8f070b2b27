//! `UniOpdStrongToWeak` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `UniOpdStrongToWeak` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// Uni-OPD from a much larger teacher: one strong model scores every prompt, whatever its domain and whatever it shows.
///
/// arXiv 2605.03677, strong-to-weak setting (a 30B teacher, students of 4B and 1.7B): the loss of Eq. 1 and the stages and
/// constants of `UniOpd`, without routing by domain. The teacher must read an image as as many tokens as the student
/// does; it may be wider and deeper in eyes and decoder.
///
/// Where we differ is where `UniOpd` differs. The release also deletes empty thinking blocks of hybrid students before a
/// teacher that has none reads them; here both read the same tokens.
#[derive(Clone, Debug)]
pub struct UniOpdStrongToWeak {
    strong: Frozen,
    data: ByDifficulty,
    rollout: Sample,
    verify: TaskAnswer,
    balance: ByOutcome,
    score: SampledToken,
    calibrate: MarginShift,
    loss: PolicyGradient,
    step: AdamW,
}

impl Recipe for UniOpdStrongToWeak {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt
        let teachers = self.strong.seat("strong");
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
            // score: strong reads the student's tokens, no gradient (SampledToken)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // calibrate: set the scores right by what is known of the outcome (MarginShift)
            let scored = self.calibrate.adjust(scored)?;
            // route: every token hears the teacher
            let routed = Routed::all(scored);
            // loss: student against teacher, on the student's own tokens (PolicyGradient)
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
        strong: Frozen::DEFAULT,
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
        let teachers = self.strong.seat("strong");
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
        let teachers = self.strong.seat("strong");
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "UniOpdStrongToWeak",
        doc: "Uni-OPD from a much larger teacher: one strong model scores every prompt, whatever its domain and whatever it shows.\n\
        \n\
        arXiv 2605.03677, strong-to-weak setting (a 30B teacher, students of 4B and 1.7B): the loss of Eq. 1 and the stages and\n\
        constants of `UniOpd`, without routing by domain. The teacher must read an image as as many tokens as the student\n\
        does; it may be wider and deeper in eyes and decoder.\n\
        \n\
        Where we differ is where `UniOpd` differs. The release also deletes empty thinking blocks of hybrid students before a\n\
        teacher that has none reads them; here both read the same tokens.",
        base: Some("UniOpd"),
        teachers: &[Teacher::new("strong", "Frozen")],
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
            ("strong", self.strong.part()),
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
            ("strong", self.strong.part_mut()),
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
