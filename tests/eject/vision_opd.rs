//! `VisionOpd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `VisionOpd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// Vision-OPD: the student learns from itself, shown where in the picture to look.
///
/// arXiv 2605.18740. The self-teacher, a running mean of the student, sees the region of evidence, the
/// student the whole picture; no other teacher, no verifier. Over the student's own answers, the
/// generalised Jensen-Shannon divergence with β = ½ on its 100 likeliest tokens, weighted by the
/// importance ratio, at most 2. Of the release are also the mean's rate of 0.05, groups of 8, answers of
/// up to 1024 tokens and AdamW at 2e-6.
///
/// The column `evidence` is a box in the prompt's first image, and the teacher sees what lies in it, scaled to what its
/// eyes take; of a prompt without images it is text, read beyond the prompt.
///
/// Where we differ: that all other tokens count as one is our inference: the release builds on SDPO's code, which
/// does that.
#[derive(Clone, Debug)]
pub struct VisionOpd {
    teacher: Ema,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: Jsd<UpTo<100>>,
    step: AdamW,
}

impl Recipe for VisionOpd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: one, for every prompt; it is shown Evidence
        let teachers = self.teacher.seat("teacher").reads(Evidence);
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
            max_response_tokens: 1024,
            ..Sample::DEFAULT
        },
        score: FullVocab::DEFAULT,
        loss: Jsd {
            beta: 0.5,
            tail: Tail::Bucket,
            importance_clip: 2.0,
            ..<Jsd<UpTo<100>>>::DEFAULT
        },
        step: AdamW {
            lr: 2e-6,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = self.teacher.seat("teacher").reads(Evidence);
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
        let teachers = self.teacher.seat("teacher").reads(Evidence);
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "VisionOpd",
        doc: "Vision-OPD: the student learns from itself, shown where in the picture to look.\n\
        \n\
        arXiv 2605.18740. The self-teacher, a running mean of the student, sees the region of evidence, the\n\
        student the whole picture; no other teacher, no verifier. Over the student's own answers, the\n\
        generalised Jensen-Shannon divergence with β = ½ on its 100 likeliest tokens, weighted by the\n\
        importance ratio, at most 2. Of the release are also the mean's rate of 0.05, groups of 8, answers of\n\
        up to 1024 tokens and AdamW at 2e-6.\n\
        \n\
        The column `evidence` is a box in the prompt's first image, and the teacher sees what lies in it, scaled to what its\n\
        eyes take; of a prompt without images it is text, read beyond the prompt.\n\
        \n\
        Where we differ: that all other tokens count as one is our inference: the release builds on SDPO's code, which\n\
        does that.",
        base: None,
        teachers: &[Teacher::new("teacher", "Ema").reading("Evidence")],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new(
                "rollout",
                "Sample",
                &[("group_size", "8"), ("max_response_tokens", "1024")],
            ),
            Stage::new("score", "FullVocab", &[]),
            Stage::new(
                "loss",
                "Jsd<UpTo<100>>",
                &[("beta", "0.5"), ("tail", "Tail::Bucket"), ("importance_clip", "2.0")],
            ),
            Stage::new("step", "AdamW", &[("lr", "2e-6")]),
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
