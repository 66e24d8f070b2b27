//! `Opcd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Opcd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// OPCD: what a teacher does with a context becomes what the student does without it.
///
/// arXiv 2602.12275 (read in secondary sources only). A frozen teacher, as large as the student or
/// larger, reads `[c; x; y]`, where the context `c` is accumulated experience or an optimised system
/// prompt: the column `experience`. The student answers the plain prompt; the loss is
/// `mean_t KL(s(x, y_<t)‖q(c, x, y_<t))`, approximated on the top K tokens.
///
/// Ours are K = 128 (a smaller vocabulary as a whole), the student's top K with both sides renormalised
/// on it, groups of 8, and AdamW at 1e-6 with 5 warm-up steps. For `c` in front of the prompt, as in the
/// paper, say `privileged: System("\n\n")` in the run file.
#[derive(Clone, Debug)]
pub struct Opcd {
    teacher: Frozen,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl<UpTo<128>>,
    step: AdamW,
}

impl Recipe for Opcd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt; it is shown Experience
        let teachers = self.teacher.seat("teacher").reads(Experience);
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
            // loss: student against teacher, on the student's own tokens (ReverseKl<UpTo<128>>)
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
            group_size: 8,
            ..Sample::DEFAULT
        },
        score: FullVocab::DEFAULT,
        loss: ReverseKl {
            support: Support::Student,
            tail: Tail::Renormalise,
            ..<ReverseKl<UpTo<128>>>::DEFAULT
        },
        step: AdamW {
            lr: 1e-6,
            warmup: 5,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = self.teacher.seat("teacher").reads(Experience);
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
        let teachers = self.teacher.seat("teacher").reads(Experience);
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "Opcd",
        doc: "OPCD: what a teacher does with a context becomes what the student does without it.\n\
        \n\
        arXiv 2602.12275 (read in secondary sources only). A frozen teacher, as large as the student or\n\
        larger, reads `[c; x; y]`, where the context `c` is accumulated experience or an optimised system\n\
        prompt: the column `experience`. The student answers the plain prompt; the loss is\n\
        `mean_t KL(s(x, y_<t)‖q(c, x, y_<t))`, approximated on the top K tokens.\n\
        \n\
        Ours are K = 128 (a smaller vocabulary as a whole), the student's top K with both sides renormalised\n\
        on it, groups of 8, and AdamW at 1e-6 with 5 warm-up steps. For `c` in front of the prompt, as in the\n\
        paper, say `privileged: System(\"\\n\\n\")` in the run file.",
        base: None,
        teachers: &[
            Teacher::new("teacher", "Frozen").reading("Experience"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Sample", &[("group_size", "8")]),
            Stage::new("score", "FullVocab", &[]),
            Stage::new(
                "loss",
                "ReverseKl<UpTo<128>>",
                &[("support", "Support::Student"), ("tail", "Tail::Renormalise")],
            ),
            Stage::new(
                "step",
                "AdamW",
                &[("lr", "1e-6"), ("warmup", "5")],
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
