//! `VaOpd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `VaOpd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::prelude::*;

/// VA-OPD: a response and its tokens count by how much the teacher needs the image to believe them.
///
/// arXiv 2605.21924. The teacher reads the answer twice, after the prompt and after a poorer view of it;
/// `VA = max(0, log q_orig − log q_pix)`. The answers to a prompt weigh by the softmax of their standardised
/// mean `VA` (population deviation, ε = 1e-6); in an answer, the top fifth of the tokens has half of the
/// weight. The loss is the reverse KL over the whole vocabulary to the teacher's first reading, weighted,
/// and averaged over prompts: the weights of one prompt sum to 1.
///
/// From the authors' objective, without their release. The poorer view is the prompt's images in 4 squares of one colour to
/// the longer side, which is our choice; of a prompt without images it is text, the column `pixelated`. Both seats are given the same
/// model folder. A recording calls the second reading `hinted_teacher`. The other constants are
/// `FullVocabOpd`'s.
#[derive(Clone, Debug)]
pub struct VaOpd {
    teacher: Frozen,
    pixelated: Frozen,
    data: Prompts,
    rollout: Sample,
    score: BothViews,
    route: ByVisualAdvantage,
    loss: ReverseKl,
    step: AdamW,
}

impl Recipe for VaOpd {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: teacher and pixelated, for every prompt; pixelated is shown Pixelated
        let teachers = (
            self.teacher.seat("teacher"),
            self.pixelated.seat("pixelated").reads(Pixelated),
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
            // score: teacher and pixelated read the student's tokens, no gradient (BothViews)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: what each token hears, and how loudly (ByVisualAdvantage)
            let routed = self.route.route(scored)?;
            // loss: student against teachers, on the student's own tokens (ReverseKl)
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
        pixelated: Frozen::DEFAULT,
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 16,
            temperature: 1.0,
            ..Sample::DEFAULT
        },
        score: BothViews::DEFAULT,
        route: ByVisualAdvantage {
            share: 0.2,
            mass: 0.5,
            ..ByVisualAdvantage::DEFAULT
        },
        loss: ReverseKl::DEFAULT,
        step: AdamW {
            lr: 1e-6,
            beta2: 0.98,
            weight_decay: 0.1,
            warmup: 5,
            ..AdamW::DEFAULT
        },
    };

    fn replay(&self, recorded: Recorded) -> Result<Replay> {
        let teachers = (
            self.teacher.seat("teacher"),
            self.pixelated.seat("pixelated").reads(Pixelated),
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
            self.teacher.seat("teacher"),
            self.pixelated.seat("pixelated").reads(Pixelated),
        );
        Ok(
            Vec::from([
                Reading::of(&teachers.0, world, asked)?,
                Reading::of(&teachers.1, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "VaOpd",
        doc: "VA-OPD: a response and its tokens count by how much the teacher needs the image to believe them.\n\
        \n\
        arXiv 2605.21924. The teacher reads the answer twice, after the prompt and after a poorer view of it;\n\
        `VA = max(0, log q_orig − log q_pix)`. The answers to a prompt weigh by the softmax of their standardised\n\
        mean `VA` (population deviation, ε = 1e-6); in an answer, the top fifth of the tokens has half of the\n\
        weight. The loss is the reverse KL over the whole vocabulary to the teacher's first reading, weighted,\n\
        and averaged over prompts: the weights of one prompt sum to 1.\n\
        \n\
        From the authors' objective, without their release. The poorer view is the prompt's images in 4 squares of one colour to\n\
        the longer side, which is our choice; of a prompt without images it is text, the column `pixelated`. Both seats are given the same\n\
        model folder. A recording calls the second reading `hinted_teacher`. The other constants are\n\
        `FullVocabOpd`'s.",
        base: None,
        teachers: &[
            Teacher::new("teacher", "Frozen"),
            Teacher::new("pixelated", "Frozen").reading("Pixelated"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new(
                "rollout",
                "Sample",
                &[("group_size", "16"), ("temperature", "1.0")],
            ),
            Stage::new("score", "BothViews", &[]),
            Stage::new(
                "route",
                "ByVisualAdvantage",
                &[("share", "0.2"), ("mass", "0.5")],
            ),
            Stage::new("loss", "ReverseKl", &[]),
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
            ("teacher", self.teacher.part()),
            ("pixelated", self.pixelated.part()),
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
            ("pixelated", self.pixelated.part_mut()),
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("score", self.score.part_mut()),
            ("route", self.route.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
