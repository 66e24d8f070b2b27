//! `Sdft` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Sdft` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// SDFT: the student learns from itself, shown a demonstration.
///
/// arXiv 2601.19897. The teacher is the same model with a demonstration in its prompt, here the row's
/// reference answer; the student answers the plain prompt, and `KL(s(x)‖q(x, c))` over the whole
/// vocabulary pulls it to the teacher at every token of its answer.
///
/// The teacher's weights are a running mean of the student's: public reimplementations agree on that and
/// on a rate of 0.01 after each step (secondary). So are one answer a prompt and AdamW at 2e-5 along a
/// cosine. TRL also offers the student at the start (`Start`) and the student itself (`Own`).
///
/// Where we differ: the paper's reverse KL, where the released trainer is reported to take the forward KL
/// by default; the release leaves the first 3 tokens of an answer out of the loss and warms the rate up
/// over a tenth of the steps; here every token counts, and warm-up is a number of steps for you to set.
#[derive(Clone, Debug)]
pub struct Sdft {
    teacher: Ema,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

impl Recipe for Sdft {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt; it is shown ReferenceAnswer
        let teachers = self.teacher.seat("teacher").reads(ReferenceAnswer);
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: teacher reads the student's tokens, no gradient (FullVocab)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token hears the teacher
            let routed = Routed::all(scored);
            // loss: student against teacher, on the student's own tokens (ReverseKl)
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
        teacher: Ema { rate: 0.01, ..Ema::DEFAULT },
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 1,
            ..Sample::DEFAULT
        },
        score: FullVocab::DEFAULT,
        loss: ReverseKl::DEFAULT,
        step: AdamW {
            lr: 2e-5,
            schedule: Schedule::Cosine,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = self.teacher.seat("teacher").reads(ReferenceAnswer);
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
        let teachers = self.teacher.seat("teacher").reads(ReferenceAnswer);
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "Sdft",
        doc: "SDFT: the student learns from itself, shown a demonstration.\n\
        \n\
        arXiv 2601.19897. The teacher is the same model with a demonstration in its prompt, here the row's\n\
        reference answer; the student answers the plain prompt, and `KL(s(x)‖q(x, c))` over the whole\n\
        vocabulary pulls it to the teacher at every token of its answer.\n\
        \n\
        The teacher's weights are a running mean of the student's: public reimplementations agree on that and\n\
        on a rate of 0.01 after each step (secondary). So are one answer a prompt and AdamW at 2e-5 along a\n\
        cosine. TRL also offers the student at the start (`Start`) and the student itself (`Own`).\n\
        \n\
        Where we differ: the paper's reverse KL, where the released trainer is reported to take the forward KL\n\
        by default; the release leaves the first 3 tokens of an answer out of the loss and warms the rate up\n\
        over a tenth of the steps; here every token counts, and warm-up is a number of steps for you to set.",
        base: None,
        teachers: &[
            Teacher::new("teacher", "Ema").reading("ReferenceAnswer"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Sample", &[("group_size", "1")]),
            Stage::new("score", "FullVocab", &[]),
            Stage::new("loss", "ReverseKl", &[]),
            Stage::new(
                "step",
                "AdamW",
                &[("lr", "2e-5"), ("schedule", "Schedule::Cosine")],
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
            ("teacher", self.teacher.part()),
            ("data", self.data.part()),
            ("rollout", self.rollout.part()),
            ("score", self.score.part()),
            ("loss", self.loss.part()),
            ("step", self.step.part()),
        ])
    }

    fn parts_mut(&mut self) -> PartsMut<'_> {
        Vec::from([
            ("teacher", self.teacher.part_mut()),
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("score", self.score.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
