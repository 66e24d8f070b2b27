//! Who teaches.

use insta::assert_snapshot;

use crate::{change, teachers};

#[test]
fn an_unknown_key_of_a_teacher() {
    assert_snapshot!(teachers("    #[teacher(read = StepHints)]\n    teacher: Own,\n"), @"
    3:19 `#[teacher]` does not know `read`; did you mean `reads`?
    it takes `domain = …` (whose prompts it teaches) and `reads = …` (what it is shown beyond the prompt)
    ");
}

#[test]
fn a_key_of_a_teacher_given_twice() {
    assert_snapshot!(teachers("    #[teacher(reads = StepHints, reads = Boxes)]\n    teacher: Frozen,\n"), @"3:38 `reads` is given twice in one `#[teacher]`. Keep one of the two");
}

#[test]
fn a_teacher_has_no_loose_words() {
    assert_snapshot!(teachers("    #[teacher(Domain::Math)]\n    math: Frozen,\n"), @"3:19 `#[teacher]` takes names and values, as in `#[teacher(domain = Domain::Math, reads = StepHints)]`");
}

#[test]
fn a_teacher_is_no_assignment() {
    assert_snapshot!(teachers("    #[teacher = \"math\"]\n    math: Frozen,\n"), @"3:9 `#[teacher]` takes names and values, as in `#[teacher(domain = Domain::Math, reads = StepHints)]`");
}

#[test]
fn two_teacher_attributes() {
    assert_snapshot!(teachers("    #[teacher]\n    #[teacher(reads = StepHints)]\n    teacher: Frozen,\n"), @"4:5 this field has two `#[teacher]`. Put everything into one");
}

#[test]
fn a_domain_is_a_path() {
    assert_snapshot!(teachers("    #[teacher(domain = \"math\")]\n    math: Frozen,\n"), @"3:28 `domain` names one variant of your domain enum, as in `domain = Domain::Math`");
}

#[test]
fn a_domain_without_a_value() {
    assert_snapshot!(teachers("    #[teacher(domain)]\n    math: Frozen,\n"), @"3:19 `domain` names one variant of your domain enum, as in `domain = Domain::Math`");
}

#[test]
fn a_domain_with_its_enum() {
    assert_snapshot!(change("domain = Domain::Code", "domain = Code"), @"5:24 write the domain with its enum, as in `Domain::Code`: a bare `Code` would match every prompt");
}

#[test]
fn what_a_teacher_reads_is_a_plain_name() {
    assert_snapshot!(teachers("    #[teacher(reads = Boxes<3>)]\n    teacher: Frozen,\n"), @"3:19 `reads` names one privileged type, without parameters, as in `reads = StepHints`");
}

#[test]
fn a_teacher_named_like_a_stage() {
    assert_snapshot!(change("math: Frozen", "route: Frozen"), @"4:5 `route` is a stage, so no teacher can be called that. Name the teacher by what it knows");
}

#[test]
fn two_teachers_for_one_domain() {
    assert_snapshot!(change("domain = Domain::Code", "domain = Domain::Math"), @"5:24 `math` and `code` both teach `Domain::Math`, and a prompt hears one expert. Give each its own domain");
}

#[test]
fn an_expert_without_a_domain() {
    assert_snapshot!(change("#[teacher(domain = Domain::Code)]", "#[teacher]"), @"6:5 which prompts does `code` teach? `math` has a domain and `code` has none. Give it `domain = …`");
}

#[test]
fn experts_of_two_kinds() {
    assert_snapshot!(change("code: Frozen", "code: Remote"), @"6:11 `math` is Frozen and `code` is Remote, and the experts of a recipe are all of one kind. Make both Frozen, or leave the domain of `code` out");
}

#[test]
fn experts_that_read_different_things() {
    assert_snapshot!(change("(domain = Domain::Code)", "(domain = Domain::Code, reads = StepHints)"), @"6:5 `math` reads only the prompt and `code` reads `StepHints`, and the experts of a recipe are all shown the same. Give them the same `reads = …`, or none");
}

#[test]
fn three_teachers_for_every_prompt() {
    assert_snapshot!(teachers("    #[teacher]\n    one: Frozen,\n    #[teacher]\n    two: Frozen,\n    #[teacher]\n    three: Start,\n"), @"8:5 `three` is one teacher too many: a token can hear one teacher, or two that are weighed against each other. Leave one out, or give each its `domain = …`");
}

#[test]
fn two_teachers_beside_the_experts() {
    assert_snapshot!(change("    data:", "    #[teacher]\n    reference: Start,\n    #[teacher(reads = StepHints)]\n    hindsight: Own,\n    data:"), @"10:5 `hindsight` is one teacher too many: beside the experts of the domains there is room for one more teacher. Leave one out, or give each its `domain = …`");
}

#[test]
fn an_own_teacher_that_reads_nothing() {
    assert_snapshot!(teachers("    #[teacher]\n    hindsight: Own,\n"), @"4:5 `hindsight` is the student itself and reads nothing the student does not: it has nothing to teach. Give it `reads = …`");
}

#[test]
fn the_student_said_to_be_its_own_teacher() {
    let twice = |reads: &str| {
        teachers(&format!("    #[teacher{reads}]\n    teacher: SameWeights,\n    #[teacher(reads = StepHints)]\n    hindsight: Own,\n"))
    };
    assert_snapshot!(twice(""), @"4:5 `teacher` is the student itself and reads nothing the student does not: it has nothing to teach. Give it `reads = …`");
    assert_snapshot!(twice("(reads = ReferenceAnswer)"), @"6:5 `hindsight` reads `StepHints` and `teacher` reads `ReferenceAnswer`: what one of them knows better could then come from what it was shown. Give both the same `reads = …`");
    assert_snapshot!(twice("(reads = StepHints)"), @"nothing is wrong");
}

#[test]
fn an_average_that_reads_nothing() {
    assert_snapshot!(teachers("    #[teacher]\n    shadow: Ema,\n"), @"4:5 `shadow` is the student's own running average and reads nothing the student does not: it has nothing to teach. Give it `reads = …`");
}

#[test]
fn a_start_with_a_domain() {
    assert_snapshot!(teachers("    #[teacher(domain = Domain::Math)]\n    reference: Start,\n"), @"3:28 `reference` is the student as it was at the start, which is no expert of one domain: the others are measured against it everywhere. Leave its `domain` out");
}

#[test]
fn a_pair_of_which_one_reads_nothing() {
    assert_snapshot!(teachers("    #[teacher]\n    teacher: Frozen,\n    #[teacher(reads = StepHints)]\n    hindsight: Own,\n"), @"6:5 `hindsight` reads `StepHints` and `teacher` does not: what one of them knows better could then come from what it was shown. Give both the same `reads = …`");
}

#[test]
fn a_pair_that_reads_different_things() {
    assert_snapshot!(teachers("    #[teacher(reads = ReferenceAnswer)]\n    teacher: Frozen,\n    #[teacher(reads = StepHints)]\n    hindsight: Ema,\n"), @"6:5 `hindsight` reads `StepHints` and `teacher` reads `ReferenceAnswer`: what one of them knows better could then come from what it was shown. Give both the same `reads = …`");
}
