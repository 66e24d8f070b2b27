//! `HintedTeacher` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `HintedTeacher` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// A hinted teacher, and every token treated alike: what DOPD warns of.
///
/// The "privilege to the teacher only" variant of DOPD's figure 3 (arXiv 2606.30626): the teacher reads
/// the hints, the student does not, and the Jensen-Shannon divergence pulls every token the same way.
/// Constants are `Dopd`'s, so that only the routing differs.
#[derive(Clone, Debug)]
pub struct HintedTeacher {
    teacher: Frozen,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: Jsd,
    step: AdamW,
}

impl Recipe for HintedTeacher {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt; it is shown StepHints
        let teachers = self.teacher.seat("teacher").reads(StepHints);
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
            // loss: student against teacher, on the student's own tokens (Jsd)
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
        teacher: Frozen::DEFAULT,
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 4,
            ..Sample::DEFAULT
        },
        score: FullVocab::DEFAULT,
        loss: Jsd { beta: 0.5, ..Jsd::DEFAULT },
        step: AdamW {
            lr: 5e-6,
            schedule: Schedule::Cosine,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = self.teacher.seat("teacher").reads(StepHints);
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
        let teachers = self.teacher.seat("teacher").reads(StepHints);
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "HintedTeacher",
        doc: "A hinted teacher, and every token treated alike: what DOPD warns of.\n\
        \n\
        The \"privilege to the teacher only\" variant of DOPD's figure 3 (arXiv 2606.30626): the teacher reads\n\
        the hints, the student does not, and the Jensen-Shannon divergence pulls every token the same way.\n\
        Constants are `Dopd`'s, so that only the routing differs.",
        base: None,
        teachers: &[
            Teacher::new("teacher", "Frozen").reading("StepHints"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Sample", &[("group_size", "4")]),
            Stage::new("score", "FullVocab", &[]),
            Stage::new("loss", "Jsd", &[("beta", "0.5")]),
            Stage::new(
                "step",
                "AdamW",
                &[("lr", "5e-6"), ("schedule", "Schedule::Cosine")],
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
