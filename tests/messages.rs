//! Every mistake the macros find by themselves: its place, and the sentence the user reads.
//!
//! One rule, one test. Most change one thing in a recipe in which every rule holds, so that one
//! mistake is seen to be one message. No rustc is involved; what only rustc can say is in `ui/`.

use insta::assert_snapshot;
use limbeck_macros_core::{expand, expand_domain, expand_settings, Report};
use proc_macro2::TokenStream;

const GOOD: &str = "\
/// Two experts into one student.
struct Good {
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,
    data: Prompts,
    #[with(group_size = 4, temperature = 1.0)]
    rollout: Sample,
    verify: TaskAnswer,
    balance: ByOutcome,
    score: SampledToken,
    calibrate: MarginShift,
    loss: PolicyGradient,
    step: AdamW,
}
";

const EXPERTS: &str = "\
    #[teacher(domain = Domain::Math)]
    math: Frozen,
    #[teacher(domain = Domain::Code)]
    code: Frozen,
";

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap_or_else(|error| panic!("{error}: {source}"))
}

fn said<T>(outcome: Result<T, Report>) -> String {
    match outcome {
        Ok(_) => "nothing is wrong".to_owned(),
        Err(report) => {
            let lines: Vec<String> = report.mistakes().iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    }
}

/// What is said of an item under `#[recipe]`.
fn recipe(item: &str) -> String {
    recipe_with("", item)
}

/// What is said of an item under `#[recipe(args)]`.
fn recipe_with(args: &str, item: &str) -> String {
    said(expand(tokens(args), tokens(item)))
}

/// What is said of the good recipe after one change.
fn change(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the good recipe");
    recipe(&GOOD.replace(from, to))
}

/// What is said of the good recipe under other teachers.
fn teachers(teachers: &str) -> String {
    change(EXPERTS, teachers)
}

/// What is said of a method under `#[derive(Settings)]`.
fn settings(item: &str) -> String {
    said(expand_settings(tokens(item)))
}

/// What is said of an enum under `#[derive(Domain)]`.
fn domain(item: &str) -> String {
    said(expand_domain(tokens(item)))
}

#[test]
fn nothing_is_said_of_a_good_recipe() {
    assert_eq!(recipe(GOOD), "nothing is wrong");
}

// The item and `#[recipe(…)]`.

#[test]
fn a_recipe_is_a_struct() {
    assert_snapshot!(recipe("pub enum Good { Data, Loss }"), @"1:5 a recipe is a struct whose fields are its teachers and its stages; this is an enum. Make it a struct");
}

#[test]
fn a_function_is_no_recipe() {
    assert_snapshot!(recipe("fn train() {}"), @"1:1 a recipe is a struct whose fields are its teachers and its stages; this is a function. Make it a struct");
}

#[test]
fn fields_have_names() {
    assert_snapshot!(recipe("struct Good(Prompts, Sample);"), @"1:8 the fields of `Good` have no names, and a field's name is its stage. Write `{ data: …, rollout: …, }`");
}

#[test]
fn a_recipe_has_fields() {
    assert_snapshot!(recipe("struct Good;"), @"1:8 `Good` has no fields, so its loop would do nothing. Write `{ data: …, rollout: …, }`");
}

#[test]
fn a_recipe_takes_no_parameters() {
    assert_snapshot!(change("struct Good {", "struct Good<L> {"), @"2:12 `Good` takes no parameters: a recipe is one fixed method. Name the types in its fields instead");
}

#[test]
fn settings_belong_on_a_field() {
    assert_snapshot!(change("struct Good", "#[with(lr = 1e-6)]\nstruct Good"), @"2:1 `#[with]` belongs on a field, not on the whole recipe. Move it down to the field it speaks of");
}

#[test]
fn a_teacher_is_a_field() {
    assert_snapshot!(change("struct Good", "#[teacher]\nstruct Good"), @"2:1 `#[teacher]` belongs on a field, not on the whole recipe. Move it down to the field it speaks of");
}

#[test]
fn an_unknown_key_of_a_recipe() {
    assert_snapshot!(recipe_with("bse = UniOpd", GOOD), @"
    1:1 `#[recipe]` does not know `bse`; did you mean `base`?
    it takes nothing, or `base = …` and `without(…)`
    ");
}

#[test]
fn a_recipe_has_no_loose_words() {
    assert_snapshot!(recipe_with("\"uni-opd\"", GOOD), @"1:1 `#[recipe]` takes nothing, or `base = …` and `without(…)`");
}

#[test]
fn a_key_of_a_recipe_given_twice() {
    assert_snapshot!(recipe_with("base = UniOpd, base = Dopd", GOOD), @"1:16 `base` is given twice in one `#[recipe]`. Keep one of the two");
}

#[test]
fn a_base_has_a_path() {
    assert_snapshot!(recipe_with("base", GOOD), @"1:1 `base` names the recipe to fork, as in `base = UniOpd`");
}

#[test]
fn without_names_stages() {
    assert_snapshot!(recipe_with("base = UniOpd, without", GOOD), @"1:16 `without` lists the stages to leave out, as in `without(calibrate)`");
}

#[test]
fn without_needs_a_base() {
    assert_snapshot!(recipe_with("without(calibrate)", GOOD), @"1:9 `without(…)` takes stages away from a base, and there is none. Give one with `base = …`, or leave the field out");
}

#[test]
fn forks_are_not_accepted_yet() {
    assert_snapshot!(recipe_with("base = limbeck_recipes::UniOpd, without(calibrate)", "struct Forked {\n    #[with(lr = 1.0)]\n    step: _,\n}"), @"1:8 `Forked` forks `limbeck_recipes::UniOpd`, and forks are not accepted yet: a fork must read its base's fields through the base's carrier macro, and this version does not. Write all fields of `Forked` out for now");
}

// Which fields there are.

#[test]
fn a_misspelt_stage() {
    assert_snapshot!(change("calibrate:", "calibrte:"), @"
    13:5 `calibrte` is not a stage; did you mean `calibrate`?
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    ");
}

#[test]
fn a_stage_under_the_name_of_another_tool() {
    assert_snapshot!(change("step:", "optimizer:"), @"15:5 `optimizer` is not a stage: here that is called `step`, as in `step: AdamW`");
}

#[test]
fn a_mask_is_a_way_to_calibrate() {
    assert_snapshot!(change("calibrate: MarginShift", "mask: MarginMask"), @"13:5 `mask` is not a stage: here that is called `calibrate`, as in `calibrate: MarginShift`");
}

#[test]
fn a_reward_is_what_verify_finds() {
    assert_snapshot!(change("verify:", "reward:"), @"10:5 `reward` is not a stage: here that is called `verify`, as in `verify: TaskAnswer`");
}

#[test]
fn a_teacher_says_so() {
    assert_snapshot!(change("    #[teacher(domain = Domain::Code)]\n", ""), @"5:5 `code` is a teacher, and nothing says so. Write `#[teacher]` above it");
}

#[test]
fn a_field_called_teacher_says_so() {
    assert_snapshot!(teachers("    teacher: Critic,\n"), @"3:9 `teacher` is a teacher, and nothing says so. Write `#[teacher]` above it");
}

#[test]
fn neither_stage_nor_teacher() {
    assert_snapshot!(change("verify: TaskAnswer", "banana: TaskAnswer"), @"
    10:5 `banana` is neither a stage nor a teacher; a teacher has `#[teacher]` above it
    the stages are, in order: data, rollout, verify, balance, score, calibrate, route, loss, step, log, checkpoint
    ");
}

#[test]
fn no_data() {
    assert_snapshot!(change("    data: Prompts,\n", ""), @"2:8 `Good` has no `data`: there would be no prompts to answer. Add one, for example `data: Prompts`");
}

#[test]
fn no_rollout() {
    assert_snapshot!(change("    #[with(group_size = 4, temperature = 1.0)]\n    rollout: Sample,\n", ""), @"2:8 `Good` has no `rollout`: there would be no answers to learn from. Add one, for example `rollout: Sample`");
}

#[test]
fn no_score() {
    assert_snapshot!(change("    score: SampledToken,\n", ""), @"2:8 `Good` has no `score`: nobody would say how good a token is. Add one, for example `score: SampledToken`");
}

#[test]
fn no_loss() {
    assert_snapshot!(change("    loss: PolicyGradient,\n", ""), @"2:8 `Good` has no `loss`: nothing would say which way to change the student. Add one, for example `loss: PolicyGradient`");
}

#[test]
fn no_step() {
    assert_snapshot!(change("    step: AdamW,\n", ""), @"2:8 `Good` has no `step`: the student would never change. Add one, for example `step: AdamW`");
}

#[test]
fn a_stage_twice() {
    assert_snapshot!(change("    step: AdamW,\n", "    step: AdamW,\n    step: Muon,\n"), @"16:5 `step` is there twice, as AdamW and as Muon; a stage has one method. Choose one");
}

#[test]
fn a_stage_twice_with_the_same_method() {
    assert_snapshot!(change("    step: AdamW,\n", "    step: AdamW,\n    step: AdamW,\n"), @"16:5 `step` is there twice, both times as AdamW. Leave one out");
}

#[test]
fn shift_and_mask_together() {
    assert_snapshot!(change("    loss:", "    calibrate: MarginMask,\n    loss:"), @"14:5 MarginShift and MarginMask are two ways to calibrate, and the second would undo what the first has set right: shift the scores or mask them. Choose one");
}

#[test]
fn a_teacher_twice() {
    assert_snapshot!(change("code: Frozen", "math: Frozen"), @"6:5 two teachers are called `math`. Give each its own name");
}

#[test]
fn a_stage_without_a_method() {
    assert_snapshot!(change("loss: PolicyGradient", "loss: (PolicyGradient, TopK<16>)"), @"14:11 the type of `loss` is its method, written as a plain type name, for example `loss: PolicyGradient`");
}

#[test]
fn a_stage_left_open() {
    assert_snapshot!(change("step: AdamW", "step: _"), @"15:11 the type of `step` is its method, written as a plain type name, for example `step: AdamW`");
}

#[test]
fn a_teacher_without_a_kind() {
    assert_snapshot!(teachers("    #[teacher]\n    teacher: _,\n"), @"4:14 the type of `teacher` says what kind of teacher it is, for example `teacher: Frozen`");
}

// In which order they stand.

#[test]
fn a_stage_too_early() {
    assert_snapshot!(change("    verify: TaskAnswer,\n    balance: ByOutcome,\n", "    balance: ByOutcome,\n    verify: TaskAnswer,\n"), @"10:5 `balance` runs after `verify`, and a recipe reads in the order its loop runs. Move it below `verify`");
}

#[test]
fn a_stage_too_late() {
    assert_snapshot!(recipe(&GOOD.replace("    data: Prompts,\n", "").replace("    loss:", "    data: Prompts,\n    loss:")), @"13:5 `data` runs before `rollout`, and a recipe reads in the order its loop runs. Move it above `rollout`");
}

#[test]
fn a_stage_that_jumped_to_the_front() {
    assert_snapshot!(recipe(&GOOD.replace("    step: AdamW,\n", "").replace("    data:", "    step: AdamW,\n    data:")), @"7:5 `step` runs after `loss`, and a recipe reads in the order its loop runs. Move it below `loss`");
}

#[test]
fn a_teacher_after_a_stage() {
    assert_snapshot!(change("    step: AdamW,\n", "    #[teacher]\n    reference: Start,\n    step: AdamW,\n"), @"16:5 `reference` teaches, and teachers come before all stages. Move it above `data`");
}

// Who teaches.

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

// Settings.

#[test]
fn settings_that_set_nothing() {
    assert_snapshot!(change("group_size = 4, temperature = 1.0", ""), @"8:5 this `#[with]` sets nothing. Name a setting of `rollout`, as in `#[with(name = value)]`, or leave it out");
}

#[test]
fn settings_without_parentheses() {
    assert_snapshot!(change("#[with(group_size = 4, temperature = 1.0)]", "#[with]"), @"8:5 this `#[with]` sets nothing. Name a setting of `rollout`, as in `#[with(name = value)]`, or leave it out");
}

#[test]
fn a_setting_without_a_value() {
    assert_snapshot!(change("temperature = 1.0", "temperature"), @"8:28 `temperature` has no value. Write `temperature = …`");
}

#[test]
fn a_setting_with_a_colon() {
    assert_snapshot!(change("temperature = 1.0", "temperature: 1.0"), @"8:28 `temperature` has no value. Write `temperature = …`");
}

#[test]
fn a_setting_with_half_a_value() {
    assert_snapshot!(change("temperature = 1.0", "temperature = 1.0 +"), @"8:28 `temperature` has no value. Write `temperature = …`");
}

#[test]
fn a_setting_twice() {
    assert_snapshot!(change("temperature = 1.0", "group_size = 8"), @"8:28 `group_size` is set twice. Keep one of the two");
}

#[test]
fn a_setting_without_a_name() {
    assert_snapshot!(change("group_size = 4", "4"), @"8:12 settings are given by name, one after the other with commas, as in `#[with(temperature = 1.0, group_size = 4)]`");
}

#[test]
fn a_setting_that_is_a_call() {
    assert_snapshot!(change("group_size = 4", "group_size(4)"), @"8:12 `group_size` has no value. Write `group_size = …`");
}

#[test]
fn settings_without_a_comma() {
    assert_snapshot!(change("4, temperature", "4 temperature"), @"8:27 settings are given by name, one after the other with commas, as in `#[with(temperature = 1.0, group_size = 4)]`");
}

#[test]
fn two_with_attributes() {
    assert_snapshot!(change("    rollout:", "    #[with(top_p = 0.9)]\n    rollout:"), @"9:5 this field has two `#[with]`. Put everything into one");
}

// Several at once, and what cannot be read at all.

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

// `#[derive(Settings)]`.

#[test]
fn a_method_is_a_struct() {
    assert_snapshot!(settings("enum AdamW { Fast }"), @"1:6 a method is a struct whose fields are its settings; `AdamW` is an enum. Make it a struct");
}

#[test]
fn a_method_is_no_union() {
    assert_snapshot!(settings("union AdamW { lr: f64 }"), @"1:7 a method is a struct whose fields are its settings; `AdamW` is a union. Make it a struct");
}

#[test]
fn settings_have_names() {
    assert_snapshot!(settings("struct AdamW(f64);"), @"1:8 the settings of `AdamW` have no names, so no recipe and no run file can set them. Name the fields");
}

#[test]
fn a_setting_has_a_default() {
    assert_snapshot!(settings("struct AdamW { lr: f64 }"), @"1:16 `lr` has no default, so a recipe that does not set it has no value. Write `#[setting(default = …)]`");
}

#[test]
fn an_unknown_key_of_a_setting() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(defualt = 1e-6)]\n    lr: f64,\n}"), @"
    2:15 `#[setting]` does not know `defualt`; did you mean `default`?
    it takes `default = …` or `skip`
    ");
}

#[test]
fn a_default_given_twice() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(default = 1.0, default = 2.0)]\n    lr: f64,\n}"), @"2:30 `default` is given twice in one `#[setting]`. Keep one of the two");
}

#[test]
fn a_default_without_a_value() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(default)]\n    lr: f64,\n}"), @"2:15 `#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`");
}

#[test]
fn a_bare_default() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting(1.0)]\n    lr: f64,\n}"), @"2:15 `#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`");
}

#[test]
fn a_setting_is_no_assignment() {
    assert_snapshot!(settings("struct AdamW {\n    #[setting = 1.0]\n    lr: f64,\n}"), @"2:5 `#[setting]` takes `default = …` or `skip`, as in `#[setting(default = 1.0)]`");
}

#[test]
fn a_setting_of_a_generic_type() {
    assert_snapshot!(settings("struct Mixed<B> {\n    #[setting(default = None)]\n    base: Option<B>,\n}"), @"3:11 `base` depends on the parameter `B`, and a setting's type is fixed: what scales a number is a value, what shapes a tensor is a type. Give it a type of its own, or mark it `#[setting(skip)]`");
}

#[test]
fn an_unknown_key_of_the_settings() {
    assert_snapshot!(settings("#[settings(chek = margin)]\nstruct MarginShift;"), @"
    1:12 `#[settings]` does not know `chek`; did you mean `check`?
    it takes `check = …` and `facts = …`
    ");
}

#[test]
fn a_check_is_a_function() {
    assert_snapshot!(settings("#[settings(check = 3)]\nstruct MarginShift;"), @"1:20 `check` names a const fn, as in `check = check_of_my_method`");
}

#[test]
fn a_check_given_twice() {
    assert_snapshot!(settings("#[settings(check = a)]\n#[settings(check = b)]\nstruct MarginShift;"), @"2:12 `check` is given twice in one `#[settings]`. Keep one of the two");
}

#[test]
fn settings_have_no_loose_words() {
    assert_snapshot!(settings("#[settings(\"margin\")]\nstruct MarginShift;"), @"1:12 `#[settings]` takes `check = …` and `facts = …`, each the path of a const fn");
}

// `#[derive(Domain)]`.

#[test]
fn domains_are_an_enum() {
    assert_snapshot!(domain("struct Math;"), @"1:8 `Math` is no enum, and domains are the variants of one. Write `enum Math { Math, Code }`");
}

#[test]
fn a_domain_carries_nothing() {
    assert_snapshot!(domain("enum Domain { Math, Code(u8) }"), @"1:25 `Code` carries fields, and a domain is only a name. Write `Code` alone");
}

#[test]
fn there_is_a_domain() {
    assert_snapshot!(domain("enum Domain {}"), @"1:6 `Domain` has no variants, so no prompt could belong to a domain. Add one, for example `Math`");
}

#[test]
fn domains_take_no_parameters() {
    assert_snapshot!(domain("enum Domain<T> { Math, Code }"), @"1:12 `Domain` takes no parameters: the domains of a task are fixed. Leave them out");
}
