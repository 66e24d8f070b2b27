//! `Dopd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Dopd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::prelude::Routed;
use limbeck::prelude::*;

/// DOPD: a hinted teacher and the student's own hinted self; each token learns from one of them.
///
/// arXiv 2606.30626. Both read the privileged input; the student that learns sees the plain prompt.
/// A token's gap between the two, and how likely it is to them, decides (section 3): small gap, likely
/// (LH): reverse KL to the teacher, weight 0.6; small gap, unlikely (LL): to its own hindsight, 0.3;
/// large gap, the teacher surer (HT): Jensen-Shannon over the whole vocabulary, 1; large gap, itself
/// surer (HS): reverse KL to its hindsight, 0.6. Whole teacher rows are kept for HT alone (`keep`).
///
/// Constants are the paper's where it gives them: K = 128, 5 % trimmed from the averages, groups of 4,
/// AdamW at 5e-6 along a cosine. It leaves open whose top K (the student's, both sides renormalised),
/// the population of the averages (the batch), warm-up and weight decay: those are our choices.
#[derive(Clone, Debug)]
pub struct Dopd {
    teacher: Frozen,
    hindsight: Own,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<128>>,
    step: AdamW,
}

impl Recipe for Dopd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: teacher and hindsight, for every prompt; both are shown StepHints
        let teachers = (
            self.teacher.seat("teacher").reads(StepHints),
            self.hindsight.seat("hindsight").reads(StepHints),
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
            // score: teacher and hindsight read the student's tokens, no gradient (FullVocab)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: what each token hears, and how loudly (AdvantageGap)
            let routed = self.route.route(scored)?;
            // loss: student against teachers, on the student's own tokens (Routed<TopK<128>>)
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
        hindsight: Own::DEFAULT,
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 4,
            ..Sample::DEFAULT
        },
        score: FullVocab {
            keep: 128,
            ..FullVocab::DEFAULT
        },
        route: AdvantageGap {
            trim: 0.05,
            ..AdvantageGap::DEFAULT
        },
        loss: Routed {
            light: 0.6,
            weak: 0.3,
            ..<Routed<TopK<128>>>::DEFAULT
        },
        step: AdamW {
            lr: 5e-6,
            schedule: Schedule::Cosine,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = (
            self.teacher.seat("teacher").reads(StepHints),
            self.hindsight.seat("hindsight").reads(StepHints),
        );
        let rollouts = recorded.unjudged()?;
        let scored = self.score.recall(&recorded, &teachers, rollouts)?;
        let routed = self.route.route(scored)?;
        self.loss.replay(&recorded, routed)
    }

    #[allow(unused_variables)]
    fn readings<W: World>(
        &self,
        world: &W,
        asked: &Asked,
    ) -> Result<Vec<Reading>> {
        let teachers = (
            self.teacher.seat("teacher").reads(StepHints),
            self.hindsight.seat("hindsight").reads(StepHints),
        );
        Ok(
            Vec::from([
                Reading::of(&teachers.0, world, asked)?,
                Reading::of(&teachers.1, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "Dopd",
        doc: "DOPD: a hinted teacher and the student's own hinted self; each token learns from one of them.\n\
        \n\
        arXiv 2606.30626. Both read the privileged input; the student that learns sees the plain prompt.\n\
        A token's gap between the two, and how likely it is to them, decides (section 3): small gap, likely\n\
        (LH): reverse KL to the teacher, weight 0.6; small gap, unlikely (LL): to its own hindsight, 0.3;\n\
        large gap, the teacher surer (HT): Jensen-Shannon over the whole vocabulary, 1; large gap, itself\n\
        surer (HS): reverse KL to its hindsight, 0.6. Whole teacher rows are kept for HT alone (`keep`).\n\
        \n\
        Constants are the paper's where it gives them: K = 128, 5 % trimmed from the averages, groups of 4,\n\
        AdamW at 5e-6 along a cosine. It leaves open whose top K (the student's, both sides renormalised),\n\
        the population of the averages (the batch), warm-up and weight decay: those are our choices.",
        base: None,
        teachers: &[
            Teacher::new("teacher", "Frozen").reading("StepHints"),
            Teacher::new("hindsight", "Own").reading("StepHints"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new("rollout", "Sample", &[("group_size", "4")]),
            Stage::new("score", "FullVocab", &[("keep", "128")]),
            Stage::new("route", "AdvantageGap", &[("trim", "0.05")]),
            Stage::new(
                "loss",
                "Routed<TopK<128>>",
                &[("light", "0.6"), ("weak", "0.3")],
            ),
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
            ("hindsight", self.hindsight.part()),
            ("data", self.data.part()),
            ("rollout", self.rollout.part()),
            ("score", self.score.part()),
            ("route", self.route.part()),
            ("loss", self.loss.part()),
            ("step", self.step.part()),
        ])
    }

    fn parts_mut(&mut self) -> PartsMut<'_> {
        Vec::from([
            ("teacher", self.teacher.part_mut()),
            ("hindsight", self.hindsight.part_mut()),
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("score", self.score.part_mut()),
            ("route", self.route.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
