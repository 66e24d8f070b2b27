//! `DopdVision` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `DopdVision` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::prelude::Routed;
use limbeck::prelude::*;

/// DOPD for students with eyes: teacher and hindsight read boxes with labels, and see the image as the student does.
///
/// arXiv 2606.30626, section 3 (equations 1 and 6 to 11) in its vision-language form: the privileged input is the boxes the
/// question is about, an object's label and four coordinates each, as text: the column `boxes`. Regimes, objectives and
/// constants are those of `Dopd`; the paper's batch is of 64 prompts with 4 rollouts each, and at most 300 steps.
///
/// Where we differ: where `Dopd` differs. How the paper writes a box is not to be read in it; a run's data decides, and its
/// `privileged` says where the text stands.
#[derive(Clone, Debug)]
pub struct DopdVision {
    teacher: Frozen,
    hindsight: Own,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    route: AdvantageGap,
    loss: Routed<TopK<128>>,
    step: AdamW,
}

impl Recipe for DopdVision {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: teacher and hindsight, for every prompt; both are shown Boxes
        let teachers = (
            self.teacher.seat("teacher").reads(Boxes),
            self.hindsight.seat("hindsight").reads(Boxes),
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
            self.teacher.seat("teacher").reads(Boxes),
            self.hindsight.seat("hindsight").reads(Boxes),
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
            self.teacher.seat("teacher").reads(Boxes),
            self.hindsight.seat("hindsight").reads(Boxes),
        );
        Ok(
            Vec::from([
                Reading::of(&teachers.0, world, asked)?,
                Reading::of(&teachers.1, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "DopdVision",
        doc: "DOPD for students with eyes: teacher and hindsight read boxes with labels, and see the image as the student does.\n\
        \n\
        arXiv 2606.30626, section 3 (equations 1 and 6 to 11) in its vision-language form: the privileged input is the boxes the\n\
        question is about, an object's label and four coordinates each, as text: the column `boxes`. Regimes, objectives and\n\
        constants are those of `Dopd`; the paper's batch is of 64 prompts with 4 rollouts each, and at most 300 steps.\n\
        \n\
        Where we differ: where `Dopd` differs. How the paper writes a box is not to be read in it; a run's data decides, and its\n\
        `privileged` says where the text stands.",
        base: Some("Dopd"),
        teachers: &[
            Teacher::new("teacher", "Frozen").reading("Boxes"),
            Teacher::new("hindsight", "Own").reading("Boxes"),
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
