//! `Tip` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Tip` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::prelude::*;

/// TIP: only the tokens are trained on at which the student is unsure or far from the teacher.
///
/// arXiv 2604.14084. A token's importance is `ĥ + d̂ − ĥd̂`, with the student's entropy `ĥ` and its
/// divergence from the teacher `d̂`, each over its range in the batch (the highest 2 % of the entropies
/// count as one). The more important half is trained on with the reverse KL over the whole vocabulary.
/// The two axes and the 50 % are the abstract's; the formula is a re-implementation's, so this is from a
/// secondary source. `route.importance = Entropy` is the variant that asks the entropy alone.
///
/// Not given, so our choice: the divergence of `d̂` is the loss's own, `KL(s‖q)`; the share is taken of the
/// whole batch. Where we may differ: the mean over an answer divides by its length, tokens left out
/// included, where TIP is described as a mean over retained tokens (at 50 % about twice the gradient,
/// which Adam hardly notices). The other constants are `FullVocabOpd`'s.
#[derive(Clone, Debug)]
pub struct Tip {
    math: Frozen,
    code: Frozen,
    data: Prompts,
    rollout: Sample,
    score: Contrasted,
    route: ByImportance,
    loss: ReverseKl,
    step: AdamW,
}

impl Recipe for Tip {
    fn train<W: World>(&self, run: &Run, world: &mut W) -> Result<Report> {
        // teachers: each prompt hears the expert of its domain
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        let mut data = self.data.open(run, world)?;
        let mut step = self.step.open(run, world)?;
        let mut log = Log::open(run, self)?;
        let start = run.resume(&mut data, &mut step, world, &mut log)?;
        for it in start..run.steps {
            // data: draw prompts (Prompts)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // score: math and code read the student's tokens, no gradient (Contrasted)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: what each token hears, and how loudly (ByImportance)
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
        math: Frozen::DEFAULT,
        code: Frozen::DEFAULT,
        data: Prompts::DEFAULT,
        rollout: Sample {
            group_size: 16,
            temperature: 1.0,
            ..Sample::DEFAULT
        },
        score: Contrasted::DEFAULT,
        route: ByImportance {
            keep: 0.5,
            importance: Importance::SoftOr,
            clip: 0.02,
            ..ByImportance::DEFAULT
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
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
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
        let teachers = Experts::by(|domain| match domain {
            Domain::Math => self.math.seat("math"),
            Domain::Code => self.code.seat("code"),
        });
        Ok(
            Vec::from([
                Reading::of(&teachers, world, asked)?,
            ]),
        )
    }

    const PLAN: Plan = Plan {
        name: "Tip",
        doc: "TIP: only the tokens are trained on at which the student is unsure or far from the teacher.\n\
        \n\
        arXiv 2604.14084. A token's importance is `ĥ + d̂ − ĥd̂`, with the student's entropy `ĥ` and its\n\
        divergence from the teacher `d̂`, each over its range in the batch (the highest 2 % of the entropies\n\
        count as one). The more important half is trained on with the reverse KL over the whole vocabulary.\n\
        The two axes and the 50 % are the abstract's; the formula is a re-implementation's, so this is from a\n\
        secondary source. `route.importance = Entropy` is the variant that asks the entropy alone.\n\
        \n\
        Not given, so our choice: the divergence of `d̂` is the loss's own, `KL(s‖q)`; the share is taken of the\n\
        whole batch. Where we may differ: the mean over an answer divides by its length, tokens left out\n\
        included, where TIP is described as a mean over retained tokens (at 50 % about twice the gradient,\n\
        which Adam hardly notices). The other constants are `FullVocabOpd`'s.",
        base: None,
        teachers: &[
            Teacher::new("math", "Frozen").of_domain("Domain::Math"),
            Teacher::new("code", "Frozen").of_domain("Domain::Code"),
        ],
        stages: &[
            Stage::new("data", "Prompts", &[]),
            Stage::new(
                "rollout",
                "Sample",
                &[("group_size", "16"), ("temperature", "1.0")],
            ),
            Stage::new("score", "Contrasted", &[]),
            Stage::new(
                "route",
                "ByImportance",
                &[
                    ("keep", "0.5"),
                    ("importance", "Importance::SoftOr"),
                    ("clip", "0.02"),
                ],
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
            ("math", self.math.part()),
            ("code", self.code.part()),
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
            ("math", self.math.part_mut()),
            ("code", self.code.part_mut()),
            ("data", self.data.part_mut()),
            ("rollout", self.rollout.part_mut()),
            ("score", self.score.part_mut()),
            ("route", self.route.part_mut()),
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
