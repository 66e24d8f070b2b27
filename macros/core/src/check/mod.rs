//! Every rule runs on every recipe; what they find is reported together.

pub mod legality;

pub mod forks;
mod order;
mod presence;
mod teachers;

use crate::model::Recipe;
use crate::report::Report;

type Rule = fn(&Recipe, &mut Report);

/// One rule, one function, one sentence.
const RULES: [Rule; 15] = [
    presence::no_strangers,
    presence::every_required_stage,
    presence::no_stage_twice,
    presence::no_teacher_twice,
    order::teachers_first,
    order::stages_in_loop_order,
    teachers::named_apart_from_stages,
    teachers::one_teacher_a_domain,
    teachers::every_expert_has_a_domain,
    teachers::experts_of_one_kind,
    teachers::experts_read_the_same,
    teachers::two_voices_at_most,
    legality::a_self_teacher_reads_more,
    legality::no_domain_for_the_start,
    legality::a_pair_reads_the_same,
];

/// Runs every rule.
pub fn all(recipe: &Recipe, report: &mut Report) {
    for rule in RULES {
        rule(recipe, report);
    }
}
