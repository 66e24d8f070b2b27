//! The printed loops themselves.

use insta::assert_snapshot;

use crate::{expanded, DOPD, ONE, REFERENCE, UNI_OPD};

#[test]
fn the_loop_of_uni_opd() {
    assert_snapshot!(expanded(UNI_OPD).text, @r#"
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
            // data: draw prompts (ByDifficulty)
            let prompts = data.draw(run.batch)?;
            // rollout: the student answers in its own words (Sample)
            let rollouts = self.rollout.sample(world, prompts)?;
            // verify: the task says right, wrong or not judged (TaskAnswer)
            let rollouts = self.verify.judge(rollouts)?;
            // balance: choose which rollouts to learn from (ByOutcome)
            let rollouts = self.balance.keep(rollouts)?;
            // score: math and code read the student's tokens, no gradient (SampledToken)
            let scored = self.score.score(world, &teachers, rollouts)?;
            // calibrate: set the scores right by what is known of the outcome (MarginShift)
            let scored = self.calibrate.adjust(scored)?;
            // route: every token hears its prompt's teacher
            let routed = Routed::all(scored);
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
    "#);
}

#[test]
fn the_loop_of_dopd() {
    assert_snapshot!(expanded(DOPD).text, @r#"
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
            // loss: student against teachers, on the student's own tokens (my::methods::Routed<TopK<128>>)
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
    "#);
}

/// The lines that the loop of Uni-OPD does not have.
fn unlike_others(source: &str) -> String {
    let common = expanded(UNI_OPD).text;
    let text = expanded(source).text;
    let other: Vec<&str> = text.lines().filter(|line| !common.lines().any(|known| known == *line)).collect();
    other.join("\n")
}

#[test]
fn the_loop_of_a_recipe_that_says_where_to_log_and_save() {
    assert_snapshot!(unlike_others(ONE), @r#"
    // teachers: one, for every prompt; it is shown privileged::StepHints
    let teachers = self.teacher.seat("teacher").reads(privileged::StepHints);
    let mut log = self.log.open(run, self)?;
    let start = self.checkpoint.resume(run, &mut data, &mut step, world, &mut log)?;
        // data: draw prompts (Prompts)
        // score: teacher reads the student's tokens, no gradient (TopK<16>)
        // route: every token hears the teacher
        // loss: student against teacher, on the student's own tokens (ForwardKl)
        // log: one line of numbers, and a held-out look when it is due (MyLog)
        // checkpoint: written whole or not at all (Elsewhere)
            self.checkpoint.save(run, it, &data, &step, world, &mut log)?;
    "#);
}

#[test]
fn the_loop_with_a_reference_beside_the_experts() {
    assert_snapshot!(unlike_others(REFERENCE), @r#"
    // teachers: each prompt hears the expert of its domain, and reference beside it; a_teacher_with_quite_a_long_name_for_mathematics and another_teacher_with_quite_a_long_name_for_programs are shown ReferenceAnswer
    let teachers = (
        Experts::by(|domain| match domain {
            tasks::Domain::Math => {
                self.a_teacher_with_quite_a_long_name_for_mathematics
                    .seat("a_teacher_with_quite_a_long_name_for_mathematics")
                    .reads(ReferenceAnswer)
            }
            tasks::Domain::Code => {
                self.another_teacher_with_quite_a_long_name_for_programs
                    .seat("another_teacher_with_quite_a_long_name_for_programs")
                    .reads(ReferenceAnswer)
            }
        }),
        self.reference.seat("reference"),
    );
        // data: draw prompts (Prompts)
        // score: a_teacher_with_quite_a_long_name_for_mathematics, another_teacher_with_quite_a_long_name_for_programs and reference read the student's tokens, no gradient (SampledToken)
        // route: every token hears all its teachers
    "#);
}
