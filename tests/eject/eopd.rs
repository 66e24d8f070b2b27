//! `Eopd` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Eopd` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::eject::Routed;
use limbeck::prelude::*;

/// EOPD: where the teacher is unsure itself, the student also learns what else it might say.
///
/// arXiv 2603.07079, Eqs. 7 to 10: the clipped sampled reverse KL at every token, plus the forward KL on
/// the teacher's top 16 where the teacher's entropy is above 0.8 nats (the student is not renormalised).
/// Read from a re-implementation that cites the equations, not from the authors' release. Where we
/// differ: the mean over each answer comes first (the paper takes the mean over all tokens).
#[derive(Clone, Debug)]
pub struct Eopd {
    math: Frozen,
    code: Frozen,
    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: EntropyGated<TopK<16>>,
    step: AdamW,
}

impl Recipe for Eopd {
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
            // score: math and code read the student's tokens, no gradient (FullVocab)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: every token hears its prompt's teacher
            let routed = Routed::all(scored);
            // loss: student against teachers, on the student's own tokens (EntropyGated<TopK<16>>)
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
        score: FullVocab::DEFAULT,
        loss: EntropyGated {
            threshold: 0.8,
            ..<EntropyGated<TopK<16>>>::DEFAULT
        },
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
        let routed = Routed::all(scored);
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
        name: "Eopd",
        doc: "EOPD: where the teacher is unsure itself, the student also learns what else it might say.\n\
        \n\
        arXiv 2603.07079, Eqs. 7 to 10: the clipped sampled reverse KL at every token, plus the forward KL on\n\
        the teacher's top 16 where the teacher's entropy is above 0.8 nats (the student is not renormalised).\n\
        Read from a re-implementation that cites the equations, not from the authors' release. Where we\n\
        differ: the mean over each answer comes first (the paper takes the mean over all tokens).",
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
            Stage::new("score", "FullVocab", &[]),
            Stage::new(
                "loss",
                "EntropyGated<TopK<16>>",
                &[("threshold", "0.8")],
            ),
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
            ("loss", self.loss.part_mut()),
            ("step", self.step.part_mut()),
        ])
    }
}
