//! A recipe without its macro: `limbeck show VanillaOpd`, saved, and changed in a way no setting can.
//!
//! ```text
//! cargo run --release --example 06_eject -- train examples/runs/ejected.ron
//! cargo run --release --example 06_eject -- show TwoUpdates
//! ```
//!
//! The first trains, ends with a table in which the student has gained on both domains, and keeps this file as
//! `loop.rs` in the run directory; the second prints it. All verbs work as before; what `#[recipe]` compared while
//! compiling, nobody compares now.

use std::process::ExitCode;

use limbeck::eject::Routed;
use limbeck::eject::*;
use limbeck::prelude::*;
use limbeck::Entry;

/// On-policy distillation that updates the student twice from each batch.
///
/// As `VanillaOpd` (Thinking Machines 2025) but for the loop: after the first update the student is no longer who
/// answered, and the ratio of the clipped policy gradient says by how much.
#[derive(Clone, Debug)]
pub struct TwoUpdates {
    math: Frozen,
    code: Frozen,
    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

impl Recipe for TwoUpdates {
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
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: math and code read the student's tokens, no gradient (SampledToken)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token hears its prompt's teacher
            let routed = Routed::all(scored);
            // two updates from one batch: this loop, and nothing else, is changed
            for _ in 0..2 {
                // loss: student against teachers, on the student's own tokens (PolicyGradient)
                let mut grads = world.student().zero_grads()?;
                for micro in routed.chunks(run.micro_batch) {
                    grads = self.loss.backward(world, &micro, grads, &mut log)?;
                }
                // step: move the student (AdamW)
                step.apply(world, grads, &mut log)?;
            }
            // log: one line of numbers, and a held-out look when it is due (Jsonl)
            log.step(it, &routed, world)?;
            // checkpoint: written whole or not at all (Safetensors)
            if run.due(it) {
                run.save(it, &data, &step, world, &mut log)?;
            }
        }
        log.finish(world)
    }

    const DEFAULT: Self = Self {
        math: Frozen::DEFAULT,
        code: Frozen::DEFAULT,
        data: Prompts::DEFAULT,
        rollout: Sample { group_size: 16, temperature: 1.0, ..Sample::DEFAULT },
        score: SampledToken::DEFAULT,
        loss: PolicyGradient { clip_low: 0.2, clip_high: 0.28, gap_mask: 10.0 },
        step: AdamW { lr: 1e-6, beta2: 0.98, weight_decay: 0.1, warmup: 5, ..AdamW::DEFAULT },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        let rollouts = recorded.unjudged()?;
        let scored = self.score.recall(&recorded, &teachers, rollouts)?;
        let routed = Routed::all(scored);
        self.loss.replay(&recorded, routed)
    }

    #[allow(unused_variables)]
    fn readings<W: World>(&self, world: &W, asked: &Asked) -> Result<Vec<Reading>> {
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        Ok(Vec::from([Reading::of(&teachers, world, asked)?]))
    }

    const PLAN: Plan = Plan {
        name: "TwoUpdates",
        doc: "On-policy distillation that updates the student twice from each batch.",
        base: None,
        teachers: &[
            Teacher::new("math", "Frozen").of_domain("Domain::Math"),
            Teacher::new("code", "Frozen").of_domain("Domain::Code"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Sample", &[("group_size", "16"), ("temperature", "1.0")]),
            Stage::new("score", "SampledToken", &[]),
            Stage::new(
                "loss",
                "PolicyGradient",
                &[("clip_low", "0.2"), ("clip_high", "0.28"), ("gap_mask", "10.0")],
            ),
            Stage::new(
                "step",
                "AdamW",
                &[("lr", "1e-6"), ("beta2", "0.98"), ("weight_decay", "0.1"), ("warmup", "5")],
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
            ("score", self.score.part()),
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
            ("score", self.score.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] = &[Entry::of::<TwoUpdates>()];
    limbeck::main(RECIPES)
}
