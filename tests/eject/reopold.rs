//! `Reopold` without its macro: the loop, the settings and the plan as ordinary Rust, to be changed at will.
//!
//! It trains as `Reopold` does, bit for bit, until you change it. From here on nothing compares what is
//! declared with what runs: the loop is yours, and so is the plan.

use limbeck::eject::*;
use limbeck::prelude::*;

/// REOPOLD: no token can pull down without bound, and later only unsure tokens are trained on.
///
/// arXiv 2603.11137. The token reward `R = log q(y_t) − log s(y_t)` has a floor, `R̂ = max(R, (log λ)/(1−λ))`
/// with `λ = 0.1`, so −2.56 (eq 7). The first 50 steps explore: tokens under the floor are left out (eq 9).
/// Then it refines: the 20 % of the batch's tokens at which the student's entropy is highest (eq 10).
///
/// Read from a re-implementation that cites the equations, not from the authors' release. The floor is
/// their doing, so `VanillaOpd`'s mask of wide gaps is off. Our choice: the 20 % are the batch's. Where we
/// may differ: the mean over an answer divides by its length, tokens left out included. The other constants
/// are `VanillaOpd`'s. A recording is replayed as step 0; `route.explore_steps=0` replays the second phase.
#[derive(Clone, Debug)]
pub struct Reopold {
    math: Frozen,
    code: Frozen,
    data: Prompts,
    rollout: Sample,
    score: SampledToken,
    route: ExploreThenRefine,
    loss: PolicyGradient,
    step: AdamW,
}

impl Recipe for Reopold {
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
            // score: math and code read the student's tokens, no gradient (SampledToken)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // route: what each token hears, and how loudly (ExploreThenRefine)
            let routed = self.route.route(scored)?;
            // loss: student against teachers, on the student's own tokens (PolicyGradient)
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
        score: SampledToken::DEFAULT,
        route: ExploreThenRefine {
            lambda: 0.1,
            explore_steps: 50,
            keep: 0.2,
            ..ExploreThenRefine::DEFAULT
        },
        loss: PolicyGradient {
            clip_low: 0.2,
            clip_high: 0.28,
            gap_mask: f64::INFINITY,
            ..PolicyGradient::DEFAULT
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
        name: "Reopold",
        doc: "REOPOLD: no token can pull down without bound, and later only unsure tokens are trained on.\n\
        \n\
        arXiv 2603.11137. The token reward `R = log q(y_t) − log s(y_t)` has a floor, `R̂ = max(R, (log λ)/(1−λ))`\n\
        with `λ = 0.1`, so −2.56 (eq 7). The first 50 steps explore: tokens under the floor are left out (eq 9).\n\
        Then it refines: the 20 % of the batch's tokens at which the student's entropy is highest (eq 10).\n\
        \n\
        Read from a re-implementation that cites the equations, not from the authors' release. The floor is\n\
        their doing, so `VanillaOpd`'s mask of wide gaps is off. Our choice: the 20 % are the batch's. Where we\n\
        may differ: the mean over an answer divides by its length, tokens left out included. The other constants\n\
        are `VanillaOpd`'s. A recording is replayed as step 0; `route.explore_steps=0` replays the second phase.",
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
            Stage::new("score", "SampledToken", &[]),
            Stage::new(
                "route",
                "ExploreThenRefine",
                &[("lambda", "0.1"), ("explore_steps", "50"), ("keep", "0.2")],
            ),
            Stage::new(
                "loss",
                "PolicyGradient",
                &[
                    ("clip_low", "0.2"),
                    ("clip_high", "0.28"),
                    ("gap_mask", "f64::INFINITY"),
                ],
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
