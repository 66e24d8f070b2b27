//! `Grpo` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Grpo` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// GRPO: no teacher; an answer is worth how much better it came out than its group.
///
/// arXiv 2402.03300 with the outcome reward 1 or 0: the advantage is `(r − mean) / (std + 1e-6)` over
/// the judged answers of a prompt (sample standard deviation), given to every token, under the same
/// clipped loss as `VanillaOpd`. Where we differ: no KL to a reference (coefficient 0), and the mean over
/// each answer comes before the mean over answers.
#[derive(Clone, Debug)]
pub struct Grpo {
    data: Prompts,
    rollout: Sample,
    verify: TaskAnswer,
    score: GroupOutcome,
    loss: PolicyGradient,
    step: AdamW,
}

impl Recipe for Grpo {
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
            // rollout: answers to learn from (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // verify: the task says right, wrong or not judged (TaskAnswer)
            let rollouts = self.verify.judge(rollouts)?;
            // score: no teacher is asked (GroupOutcome)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token counts
            let routed = Routed::all(scored);
            // loss: the student on these answers (PolicyGradient)
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
        rollout: Sample {
            group_size: 16,
            temperature: 1.0,
            ..Sample::DEFAULT
        },
        verify: TaskAnswer::DEFAULT,
        score: GroupOutcome::DEFAULT,
        loss: PolicyGradient {
            clip_low: 0.2,
            clip_high: 0.28,
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
        let teachers = Nobody;
        let rollouts = recorded.judged()?;
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
        name: "Grpo",
        doc: "GRPO: no teacher; an answer is worth how much better it came out than its group.\n\
        \n\
        arXiv 2402.03300 with the outcome reward 1 or 0: the advantage is `(r − mean) / (std + 1e-6)` over\n\
        the judged answers of a prompt (sample standard deviation), given to every token, under the same\n\
        clipped loss as `VanillaOpd`. Where we differ: no KL to a reference (coefficient 0), and the mean over\n\
        each answer comes before the mean over answers.",
        base: None,
        teachers: &[],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new(
                "rollout",
                "Sample",
                &[("group_size", "16"), ("temperature", "1.0")],
            ),
            Stage::new("verify", "TaskAnswer", &[]),
            Stage::new("score", "GroupOutcome", &[]),
            Stage::new(
                "loss",
                "PolicyGradient",
                &[("clip_low", "0.2"), ("clip_high", "0.28")],
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
            ("data", self.data.part()),
            ("rollout", self.rollout.part()),
            ("verify", self.verify.part()),
            ("score", self.score.part()),
            ("loss", self.loss.part()),
            ("step", self.step.part()),
        ])
    }

    fn parts_mut(&mut self) -> PartsMut<'_> {
        Vec::from([
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("verify", self.verify.part_mut()),
            ("score", self.score.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
