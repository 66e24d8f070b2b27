//! `#[derive(Domain)]`.

use insta::assert_snapshot;

use crate::domain;

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
