//! Several at once, and what cannot be read at all.

use insta::assert_snapshot;

use crate::{recipe, GOOD};

#[test]
fn several_mistakes_are_said_at_once() {
    assert_snapshot!(recipe(&GOOD.replace("calibrate:", "calibrte:").replace("    step: AdamW,\n", "").replace("domain = Domain::Code", "domian = Domain::Code").replace("temperature = 1.0", "temperature")), @"
    5:15 `#[teacher]` does not know `domian`; did you mean `domain`?
    it takes `domain = …` (whose prompts it teaches) and `reads = …` (what it is shown beyond the prompt)
    8:28 `temperature` has no value. Write `temperature = …`
    13:5 `calibrte` is not a stage; did you mean `calibrate`?
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    2:8 `Good` has no `step`: the student would never change. Add one, for example `step: AdamW`
    ");
}

#[test]
fn an_empty_recipe() {
    assert_snapshot!(recipe("struct Empty {}"), @"
    1:8 `Empty` has no `data`: there would be no prompts to answer. Add one, for example `data: Prompts`
    1:8 `Empty` has no `rollout`: there would be no answers to learn from. Add one, for example `rollout: Sample`
    1:8 `Empty` has no `score`: nobody would say how good a token is. Add one, for example `score: SampledToken`
    1:8 `Empty` has no `loss`: nothing would say which way to change the student. Add one, for example `loss: PolicyGradient`
    1:8 `Empty` has no `step`: the student would never change. Add one, for example `step: AdamW`
    ");
}

#[test]
fn no_item_at_all() {
    assert_snapshot!(recipe("struct"), @"1:1 unexpected end of input, expected identifier");
}
