//! Every sentence a user of `#[recipe]` can read from us. Read them aloud.
//!
//! The only place in the macros where methods are named: as examples, in [`example`].

pub mod forks;

use std::fmt::Display;

use syn::{Ident, Path};

use crate::check::legality::Kind;
use crate::method::Method;
use crate::model::Teacher;
use crate::spelling::spell;
use crate::stage::StageName;

/// A field to copy, for a stage that is missing or wrong.
fn example(stage: StageName) -> &'static str {
    match stage {
        StageName::Data => "data: Prompts",
        StageName::Rollout => "rollout: Sample",
        StageName::Verify => "verify: TaskAnswer",
        StageName::Balance => "balance: ByOutcome",
        StageName::Score => "score: SampledToken",
        StageName::Calibrate => "calibrate: MarginShift",
        StageName::Route => "route: AdvantageGap",
        StageName::Loss => "loss: PolicyGradient",
        StageName::Step => "step: AdamW",
        StageName::Log => "log: Jsonl",
        StageName::Checkpoint => "checkpoint: Safetensors",
    }
}

/// What a loop without this stage would be.
fn without(stage: StageName) -> &'static str {
    match stage {
        StageName::Data => "there would be no prompts to answer",
        StageName::Rollout => "there would be no answers to learn from",
        StageName::Score => "nobody would say how good a token is",
        StageName::Loss => "nothing would say which way to change the student",
        StageName::Step => "the student would never change",
        _ => "the loop would not be whole",
    }
}

fn all_stages() -> String {
    let names: Vec<&str> = StageName::ALL.iter().map(|stage| stage.as_str()).collect();
    format!("the stages are, in order: {}", names.join(", "))
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

// The item and `#[recipe(…)]`.

pub fn not_a_struct(what: &str) -> String {
    format!(
        "a recipe is a struct whose fields are its teachers and its stages; this is {what}. Make it a struct"
    )
}

pub fn tuple_struct(name: &Ident) -> String {
    format!("the fields of `{name}` have no names, and a field's name is its stage. Write `{{ data: …, rollout: …, }}`")
}

pub fn unit_struct(name: &Ident) -> String {
    format!("`{name}` has no fields, so its loop would do nothing. Write `{{ data: …, rollout: …, }}`")
}

pub fn generic_recipe(name: &Ident) -> String {
    format!(
        "`{name}` takes no parameters: a recipe is one fixed method. Name the types in its fields instead"
    )
}

pub fn attribute_on_the_struct(attribute: &impl Display) -> String {
    format!("`#[{attribute}]` belongs on a field, not on the whole recipe. Move it down to the field it speaks of")
}

pub fn unknown_recipe_key(key: &Ident, near: Option<&str>) -> String {
    let near = did_you_mean(near);
    format!("`#[recipe]` does not know `{key}`{near}\nit takes nothing, or `base = …` and `without(…)`")
}

pub fn junk_in_recipe() -> String {
    "`#[recipe]` takes nothing, or `base = …` and `without(…)`".to_owned()
}

pub fn key_twice(attribute: &str, key: &Ident) -> String {
    format!("`{key}` is given twice in one `#[{attribute}]`. Keep one of the two")
}

pub fn attribute_twice(attribute: &str) -> String {
    format!("this field has two `#[{attribute}]`. Put everything into one")
}

pub fn base_without_a_path() -> String {
    "`base` names the recipe to fork, as in `base = UniOpd`".to_owned()
}

pub fn without_without_stages() -> String {
    "`without` lists the stages to leave out, as in `without(calibrate)`".to_owned()
}

pub fn without_but_no_base() -> String {
    "`without(…)` takes stages away from a base, and there is none. Give one with `base = …`, or leave the field out"
        .to_owned()
}

// Which fields there are.

pub fn misspelt_stage(name: &Ident, near: StageName) -> String {
    format!("`{name}` is not a stage; did you mean `{}`?\n{}", near.as_str(), all_stages())
}

pub fn stage_by_another_name(name: &Ident, stage: StageName) -> String {
    let called = stage.as_str();
    format!("`{name}` is not a stage: here that is called `{called}`, as in `{}`", example(stage))
}

pub fn teacher_without_its_attribute(name: &Ident) -> String {
    format!("`{name}` is a teacher, and nothing says so. Write `#[teacher]` above it")
}

pub fn unknown_field(name: &Ident) -> String {
    format!(
        "`{name}` is neither a stage nor a teacher; a teacher has `#[teacher]` above it\n{}",
        all_stages()
    )
}

pub fn missing_stage(recipe: &Ident, stage: StageName) -> String {
    let (name, why, field) = (stage.as_str(), without(stage), example(stage));
    format!("`{recipe}` has no `{name}`: {why}. Add one, for example `{field}`")
}

pub fn stage_twice(stage: StageName, first: &Method, second: &Method) -> String {
    let (name, first, second) = (stage.as_str(), first.spelled(), second.spelled());
    if first == second {
        return format!("`{name}` is there twice, both times as {first}. Leave one out");
    }
    format!("`{name}` is there twice, as {first} and as {second}; a stage has one method. Choose one")
}

pub fn calibrate_twice(first: &Method, second: &Method) -> String {
    let (first, second) = (first.spelled(), second.spelled());
    format!(
        "{first} and {second} are two ways to calibrate, and the second would undo what the first \
         has set right: shift the scores or mask them. Choose one"
    )
}

pub fn teacher_twice(name: &Ident) -> String {
    format!("two teachers are called `{name}`. Give each its own name")
}

pub fn stage_without_a_method(stage: StageName) -> String {
    let (name, field) = (stage.as_str(), example(stage));
    format!("the type of `{name}` is its method, written as a plain type name, for example `{field}`")
}

pub fn plain_data_as_a_method(data: &Method, stage: StageName) -> String {
    let (data, name, field) = (data.spelled(), stage.as_str(), example(stage));
    format!(
        "`{data}` is no method: the type of `{name}` does its work, and numbers are settings in `#[with(…)]`. \
         Name a method, for example `{field}`"
    )
}

pub fn plain_data_as_a_kind(data: &Method, name: &Ident) -> String {
    let data = data.spelled();
    format!(
        "`{data}` is no kind of teacher: it says where the weights come from. Name one, for example `{name}: Frozen`"
    )
}

pub fn teacher_without_a_kind(name: &Ident) -> String {
    format!("the type of `{name}` says what kind of teacher it is, for example `{name}: Frozen`")
}

// In which order they stand.

pub fn teacher_after_a_stage(name: &Ident, first: StageName) -> String {
    let first = first.as_str();
    format!("`{name}` teaches, and teachers come before all stages. Move it above `{first}`")
}

pub fn stage_too_late(stage: StageName, before: StageName) -> String {
    let (stage, before) = (stage.as_str(), before.as_str());
    format!("`{stage}` runs before `{before}`, and a recipe reads in the order its loop runs. Move it above `{before}`")
}

pub fn stage_too_early(stage: StageName, after: StageName) -> String {
    let (stage, after) = (stage.as_str(), after.as_str());
    format!("`{stage}` runs after `{after}`, and a recipe reads in the order its loop runs. Move it below `{after}`")
}

// Who teaches.

pub fn unknown_teacher_key(key: &Ident, near: Option<&str>) -> String {
    let near = did_you_mean(near);
    format!(
        "`#[teacher]` does not know `{key}`{near}\n\
         it takes `domain = …` (whose prompts it teaches) and `reads = …` (what it is shown beyond the prompt)"
    )
}

pub fn junk_in_teacher() -> String {
    "`#[teacher]` takes names and values, as in `#[teacher(domain = Domain::Math, reads = StepHints)]`"
        .to_owned()
}

pub fn domain_not_a_path() -> String {
    "`domain` names one variant of your domain enum, as in `domain = Domain::Math`".to_owned()
}

pub fn domain_without_its_enum(domain: &Path) -> String {
    let domain = spell(domain);
    format!("write the domain with its enum, as in `Domain::{domain}`: a bare `{domain}` would match every prompt")
}

pub fn reads_not_a_path() -> String {
    "`reads` names one privileged type, without parameters, as in `reads = StepHints`".to_owned()
}

pub fn teacher_named_like_a_stage(name: &Ident) -> String {
    format!("`{name}` is a stage, so no teacher can be called that. Name the teacher by what it knows")
}

pub fn two_teachers_for_a_domain(first: &Ident, second: &Ident, domain: &Path) -> String {
    let domain = spell(domain);
    format!("`{first}` and `{second}` both teach `{domain}`, and a prompt hears one expert. Give each its own domain")
}

pub fn expert_without_a_domain(name: &Ident, routed: &Ident) -> String {
    format!("which prompts does `{name}` teach? `{routed}` has a domain and `{name}` has none. Give it `domain = …`")
}

pub fn experts_of_two_kinds(first: &Teacher, second: &Teacher) -> String {
    let (one, other) = (&first.name, &second.name);
    let (kind, odd) = (first.method.spelled(), second.method.spelled());
    format!(
        "`{one}` is {kind} and `{other}` is {odd}, and the experts of a recipe are all of one kind. \
         Make both {kind}, or leave the domain of `{other}` out"
    )
}

pub fn experts_read_differently(first: &Teacher, second: &Teacher) -> String {
    let reads = |teacher: &Teacher| match &teacher.reads {
        Some(path) => format!("`{}` reads `{}`", teacher.name, spell(path)),
        None => format!("`{}` reads only the prompt", teacher.name),
    };
    format!(
        "{} and {}, and the experts of a recipe are all shown the same. Give them the same `reads = …`, or none",
        reads(first),
        reads(second)
    )
}

pub fn too_many_voices(name: &Ident, experts: bool) -> String {
    let rule = if experts {
        "beside the experts of the domains there is room for one more teacher"
    } else {
        "a token can hear one teacher, or two that are weighed against each other"
    };
    format!("`{name}` is one teacher too many: {rule}. Leave one out, or give each its `domain = …`")
}

pub fn self_teacher_reads_nothing(name: &Ident, kind: Kind) -> String {
    let what = kind.shape_of_student().unwrap_or("the student");
    format!(
        "`{name}` is {what} and reads nothing the student does not: it has nothing to teach. Give it `reads = …`"
    )
}

pub fn domain_for_the_start(name: &Ident) -> String {
    format!(
        "`{name}` is the student as it was at the start, which is no expert of one domain: \
         the others are measured against it everywhere. Leave its `domain` out"
    )
}

pub fn pair_reads_differently(own: &Teacher, other: &Teacher, reads: &Path) -> String {
    let (own, reads) = (&own.name, spell(reads));
    let name = &other.name;
    let other_reads = match &other.reads {
        Some(path) => format!("`{name}` reads `{}`", spell(path)),
        None => format!("`{name}` does not"),
    };
    format!(
        "`{own}` reads `{reads}` and {other_reads}: what one of them knows better could then come from \
         what it was shown. Give both the same `reads = …`"
    )
}

// Settings.

pub fn empty_with(field: &Ident) -> String {
    format!("this `#[with]` sets nothing. Name a setting of `{field}`, as in `#[with(name = value)]`, or leave it out")
}

pub fn setting_without_value(name: &Ident) -> String {
    format!("`{name}` has no value. Write `{name} = …`")
}

pub fn setting_twice(name: &Ident) -> String {
    format!("`{name}` is set twice. Keep one of the two")
}

pub fn setting_without_name() -> String {
    "settings are given by name, one after the other with commas, as in `#[with(temperature = 1.0, group_size = 4)]`"
        .to_owned()
}
