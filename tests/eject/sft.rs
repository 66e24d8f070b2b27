//! `Sft` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Sft` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// Supervised fine-tuning: the student imitates the reference answers.
///
/// The reference point that is not on-policy: `−log s(y_t)` over the tokens of the data's `reference`
/// column, the mean over each answer first. It makes the experts and the start of the example runs.
/// No paper's constants: AdamW (0.9, 0.98) at 1e-3 along a cosine with 50 warm-up steps.
#[derive(Clone, Debug)]
pub struct Sft {
    data: Prompts,
    rollout: Reference,
    score: Demonstrated,
    loss: CrossEntropy,
    step: AdamW,
}

impl Recipe for Sft {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: none
        let teachers = Nobody;
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: answers to learn from (Reference)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: no teacher is asked (Demonstrated)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token counts
            let routed = Routed::all(scored);
            // loss: the student on these answers (CrossEntropy)
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
        data: Prompts::DEFAULT,
        rollout: Reference::DEFAULT,
        score: Demonstrated::DEFAULT,
        loss: CrossEntropy::DEFAULT,
        step: AdamW {
            lr: 1e-3,
            beta2: 0.98,
            weight_decay: 0.01,
            warmup: 50,
            schedule: Schedule::Cosine,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = Nobody;
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
        let teachers = Nobody;
        Ok(Vec::from([]))
    }

    const PLAN: Plan = Plan {
        name: "Sft",
        doc: "Supervised fine-tuning: the student imitates the reference answers.\n\
        \n\
        The reference point that is not on-policy: `−log s(y_t)` over the tokens of the data's `reference`\n\
        column, the mean over each answer first. It makes the experts and the start of the example runs.\n\
        No paper's constants: AdamW (0.9, 0.98) at 1e-3 along a cosine with 50 warm-up steps.",
        base: None,
        teachers: &[],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Reference", &[]),
            Stage::new("score", "Demonstrated", &[]),
            Stage::new("loss", "CrossEntropy", &[]),
            Stage::new(
                "step",
                "AdamW",
                &[
                    ("lr", "1e-3"),
                    ("beta2", "0.98"),
                    ("weight_decay", "0.01"),
                    ("warmup", "50"),
                    ("schedule", "Schedule::Cosine"),
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
            ("data", self.data.part()),
            ("rollout", self.rollout.part()),
            ("score", self.score.part()),
            ("loss", self.loss.part()),
            ("step", self.step.part()),
        ])
    }

    fn parts_mut(&mut self) -> PartsMut<'_> {
        Vec::from([
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("score", self.score.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
