//! `ExOpd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `ExOpd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// ExOPD: beyond the teacher, in the direction that leads away from where the student started.
///
/// G-OPD, arXiv 2602.12125: the reward of a token is `λ log q + (1 − λ) log π_ref − log s` with
/// `λ = 1.25` and the student at step 0 as reference; at `λ = 1` it is `VanillaOpd`, bit for bit.
///
/// The other constants are `VanillaOpd`'s, so that only the reward differs. Where we differ from the
/// release: it bounds rollout importance ratios at 5 where we clip at 0.2 / 0.28, and trains at 1e-5.
#[derive(Clone, Debug)]
pub struct ExOpd {
    math: Frozen,
    code: Frozen,
    reference: Start,
    data: Prompts,
    rollout: Sample,
    score: Extrapolated,
    loss: PolicyGradient,
    step: AdamW,
}

impl Recipe for ExOpd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: each prompt hears the expert of its domain, and reference beside it
        let teachers = (
            Experts::by(|domain| match domain {
                Domain::Math => self.math.seat("math"),
                Domain::Code => self.code.seat("code"),
            }),
            self.reference.seat("reference"),
        );
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: math, code and reference read the student's tokens, no gradient (Extrapolated)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token hears all its teachers
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
        reference: Start::DEFAULT,
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 16,
            temperature: 1.0,
            ..Sample::DEFAULT
        },
        score: Extrapolated {
            lambda: 1.25,
            ..Extrapolated::DEFAULT
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
        let teachers = (
            Experts::by(|domain| match domain {
                Domain::Math => self.math.seat("math"),
                Domain::Code => self.code.seat("code"),
            }),
            self.reference.seat("reference"),
        );
        let rollouts = recorded.unjudged()?;
        let scored = self.score.recall(&recorded, &teachers, rollouts)?;
        let routed = Routed::all(scored);
        self.loss.replay(&recorded, routed)
    }

    #[allow(unused_variables)]
    fn readings<W: World>(
        &self,
        world: &W,
        asked: &Asked,
    ) -> Result<Vec<Reading>> {
        let teachers = (
            Experts::by(|domain| match domain {
                Domain::Math => self.math.seat("math"),
                Domain::Code => self.code.seat("code"),
            }),
            self.reference.seat("reference"),
        );
        Ok(
            Vec::from([
                Reading::of(&teachers.0, world, asked)?,
                Reading::of(&teachers.1, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "ExOpd",
        doc: "ExOPD: beyond the teacher, in the direction that leads away from where the student started.\n\
        \n\
        G-OPD, arXiv 2602.12125: the reward of a token is `λ log q + (1 − λ) log π_ref − log s` with\n\
        `λ = 1.25` and the student at step 0 as reference; at `λ = 1` it is `VanillaOpd`, bit for bit.\n\
        \n\
        The other constants are `VanillaOpd`'s, so that only the reward differs. Where we differ from the\n\
        release: it bounds rollout importance ratios at 5 where we clip at 0.2 / 0.28, and trains at 1e-5.",
        base: None,
        teachers: &[
            Teacher::new("math", "Frozen").of_domain("Domain::Math"),
            Teacher::new("code", "Frozen").of_domain("Domain::Code"),
            Teacher::new("reference", "Start"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new(
                "rollout",
                "Sample",
                &[("group_size", "16"), ("temperature", "1.0")],
            ),
            Stage::new("score", "Extrapolated", &[("lambda", "1.25")]),
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
            ("reference", self.reference.part()),
            ("data", self.data.part()),
            ("rollout", self.rollout.part()),
            ("score", self.score.part()),
            ("loss", self.loss.part()),
            ("step", self.step.part()),
        ])
    }

    fn parts_mut(&mut self) -> PartsMut<'_> {
        Vec::from([
            ("math", self.math.part_mut()),
            ("code", self.code.part_mut()),
            ("reference", self.reference.part_mut()),
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("score", self.score.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
