//! `Sdpo` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Sdpo` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// SDPO: the student learns from itself, shown what came out right or why it was wrong.
///
/// arXiv 2601.20802. The self-teacher, a running mean of the student, reads another right response of
/// the group, or else what the environment said of this one; responses with neither are left out.
/// `KL(s(x)‖sg s(x, f))` (eq 1) is, as released, the Jensen-Shannon divergence with β = ½ over the
/// student's 100 likeliest tokens and all others as one (a smaller vocabulary as a whole), weighted by
/// the importance ratio, at most 2. Of the release are also the mean's rate of 0.05, groups of 8 and
/// AdamW at 1e-5.
///
/// Where we differ: right is what the verifier says (the release: a score above ½); the mean over each
/// response comes first; with one update a rollout the importance ratio is 1 at every token.
#[derive(Clone, Debug)]
pub struct Sdpo {
    teacher: Ema,
    data: Prompts,
    rollout: Sample,
    verify: TaskAnswer,
    score: FullVocab,
    loss: Jsd<UpTo<100>>,
    step: AdamW,
}

impl Recipe for Sdpo {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt; it is shown SuccessOrFeedback
        let teachers = self.teacher.seat("teacher").reads(SuccessOrFeedback);
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // verify: the task says right, wrong or not judged (TaskAnswer)
            let rollouts = self.verify.judge(rollouts)?;
            // score: teacher reads the student's tokens, no gradient (FullVocab)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token hears the teacher
            let routed = Routed::all(scored);
            // loss: student against teacher, on the student's own tokens (Jsd<UpTo<100>>)
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
        teacher: Ema { rate: 0.05, ..Ema::DEFAULT },
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 8,
            ..Sample::DEFAULT
        },
        verify: TaskAnswer::DEFAULT,
        score: FullVocab::DEFAULT,
        loss: Jsd {
            beta: 0.5,
            tail: Tail::Bucket,
            importance_clip: 2.0,
            ..<Jsd<UpTo<100>>>::DEFAULT
        },
        step: AdamW {
            lr: 1e-5,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = self.teacher.seat("teacher").reads(SuccessOrFeedback);
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
        let teachers = self.teacher.seat("teacher").reads(SuccessOrFeedback);
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "Sdpo",
        doc: "SDPO: the student learns from itself, shown what came out right or why it was wrong.\n\
        \n\
        arXiv 2601.20802. The self-teacher, a running mean of the student, reads another right response of\n\
        the group, or else what the environment said of this one; responses with neither are left out.\n\
        `KL(s(x)‖sg s(x, f))` (eq 1) is, as released, the Jensen-Shannon divergence with β = ½ over the\n\
        student's 100 likeliest tokens and all others as one (a smaller vocabulary as a whole), weighted by\n\
        the importance ratio, at most 2. Of the release are also the mean's rate of 0.05, groups of 8 and\n\
        AdamW at 1e-5.\n\
        \n\
        Where we differ: right is what the verifier says (the release: a score above ½); the mean over each\n\
        response comes first; with one update a rollout the importance ratio is 1 at every token.",
        base: None,
        teachers: &[
            Teacher::new("teacher", "Ema").reading("SuccessOrFeedback"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Sample", &[("group_size", "8")]),
            Stage::new("verify", "TaskAnswer", &[]),
            Stage::new("score", "FullVocab", &[]),
            Stage::new(
                "loss",
                "Jsd<UpTo<100>>",
                &[("beta", "0.5"), ("tail", "Tail::Bucket"), ("importance_clip", "2.0")],
            ),
            Stage::new("step", "AdamW", &[("lr", "1e-5")]),
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
            ("verify", self.verify.part()),
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
            ("verify", self.verify.part_mut()),
            ("score", self.score.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
