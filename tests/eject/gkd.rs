//! `Gkd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Gkd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// GKD: some batches are the student's own answers, the others are references.
///
/// arXiv 2306.13649, algorithm 1. With probability λ a batch is the student's own, else the reference
/// answers of the data are read; either way the generalised Jensen-Shannon divergence over the whole
/// vocabulary pulls the student to one teacher at every token. λ = 1 is on-policy distillation, λ = 0
/// with the references supervised distillation; `rollout.off_policy = Teacher` takes the teacher's own
/// answers instead (TRL's `seq_kd`).
///
/// λ = ½, β = ½, temperature 0.9 and answers of up to 128 tokens are TRL's defaults. Where we differ: the
/// mean over each answer comes first, and AdamW at 1e-6 with 5 warm-up steps is ours.
#[derive(Clone, Debug)]
pub struct Gkd {
    teacher: Frozen,
    data: Prompts,
    /// in some batches the student answers in its own words, in the others the references are read
    rollout: Mixed,
    /// teacher reads these tokens, no gradient
    score: FullVocab,
    /// student against teacher, on these tokens
    loss: Jsd,
    step: AdamW,
}

impl Recipe for Gkd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt
        let teachers = self.teacher.seat("teacher");
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: in some batches the student answers in its own words, in the others the references are read (Mixed)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: teacher reads these tokens, no gradient (FullVocab)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token hears the teacher
            let routed = Routed::all(scored);
            // loss: student against teacher, on these tokens (Jsd)
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
        rollout: Mixed {
            on_policy: 0.5,
            group_size: 1,
            temperature: 0.9,
            max_response_tokens: 128,
            ..Mixed::DEFAULT
        },
        score: FullVocab::DEFAULT,
        loss: Jsd { beta: 0.5, ..Jsd::DEFAULT },
        step: AdamW {
            lr: 1e-6,
            warmup: 5,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = self.teacher.seat("teacher");
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
        let teachers = self.teacher.seat("teacher");
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "Gkd",
        doc: "GKD: some batches are the student's own answers, the others are references.\n\
        \n\
        arXiv 2306.13649, algorithm 1. With probability λ a batch is the student's own, else the reference\n\
        answers of the data are read; either way the generalised Jensen-Shannon divergence over the whole\n\
        vocabulary pulls the student to one teacher at every token. λ = 1 is on-policy distillation, λ = 0\n\
        with the references supervised distillation; `rollout.off_policy = Teacher` takes the teacher's own\n\
        answers instead (TRL's `seq_kd`).\n\
        \n\
        λ = ½, β = ½, temperature 0.9 and answers of up to 128 tokens are TRL's defaults. Where we differ: the\n\
        mean over each answer comes first, and AdamW at 1e-6 with 5 warm-up steps is ours.",
        base: None,
        teachers: &[Teacher::new("teacher", "Frozen")],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new(
                "rollout",
                "Mixed",
                &[
                    ("on_policy", "0.5"),
                    ("group_size", "1"),
                    ("temperature", "0.9"),
                    ("max_response_tokens", "128"),
                ],
            ),
            Stage::new("score", "FullVocab", &[]),
            Stage::new("loss", "Jsd", &[("beta", "0.5")]),
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
