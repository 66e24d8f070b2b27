//! Snapshots of recipes, in one line of a user's own test.

/// Snapshots a recipe's loop with insta; the recipe's source stands beside it.
///
/// ```ignore
/// #[test]
/// fn my_loop() {
///     limbeck::assert_loop_snapshot!(MyRecipe);
/// }
/// ```
#[macro_export]
macro_rules! assert_loop_snapshot {
    ($recipe:ty) => {
        $crate::insta::with_settings!(
            { description => <$recipe as $crate::Recipe>::SOURCE, omit_expression => true },
            { $crate::insta::assert_snapshot!(
                ::std::format!("{}_loop", <$recipe as $crate::Recipe>::NAME),
                <$recipe as $crate::Recipe>::LOOP
            ) }
        )
    };
}

/// Snapshots a recipe's plan, defaults included, with insta.
///
/// ```ignore
/// #[test]
/// fn my_plan() {
///     limbeck::assert_plan_snapshot!(MyRecipe);
/// }
/// ```
#[macro_export]
macro_rules! assert_plan_snapshot {
    ($recipe:ty) => {
        $crate::insta::with_settings!(
            { omit_expression => true },
            { $crate::insta::assert_snapshot!(
                ::std::format!("{}_plan", <$recipe as $crate::Recipe>::NAME),
                <$recipe as $crate::Recipe>::PLAN.to_ron()
            ) }
        )
    };
}
