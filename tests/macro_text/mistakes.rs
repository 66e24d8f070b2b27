//! What becomes of a recipe with mistakes, and of tokens that are no recipe at all.

use limbeck_macros_core::{domain, fork, recipe, settings};
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;

use crate::{tokens, ALL, UNI_OPD};

#[test]
fn a_recipe_with_mistakes_still_is_a_struct_and_a_recipe() {
    let broken = recipe(TokenStream::new(), tokens(&UNI_OPD.replace("calibrate:", "calibrte:"))).to_string();
    for part in ["pub struct UniOpd", ":: limbeck :: Recipe for UniOpd", "compile_error", "macro_rules !"] {
        assert!(broken.contains(part), "no `{part}` in {broken}");
    }
    assert_eq!(broken.matches("compile_error").count(), 1);
    let (structure, _) = broken.split_once("macro_rules").expect("the carrier comes after the struct");
    assert!(!structure.contains("# [teacher") && !structure.contains("# [with"));
}

#[test]
fn no_tokens_make_the_macros_panic() {
    let mut dice = Dice(20_261_121);
    let methods = "#[settings(check = a, facts = b)] pub struct M<const K: usize, B> { #[setting(default = 1.0)] a: f64, #[setting(skip)] b: PhantomData<B> }";
    let domains = "#[derive(Clone)] pub enum Domain { Math, Code }";
    for round in 0..1500_usize {
        let item = dice.changed(tokens(ALL[round % ALL.len()]));
        let args = dice.changed(tokens("base = path::UniOpd, without(calibrate, route)"));
        let own = dice.changed(tokens("struct Fork { #[with(lr = 1.0)] step: _, #[teacher] logic: Frozen }"));
        let _ = fork(quote!({} { #item } { #args } { #own }));
        let _ = recipe(if round % 3 == 0 { args } else { TokenStream::new() }, item);
        let _ = settings(dice.changed(tokens(methods)));
        let _ = domain(dice.changed(tokens(domains)));
        let (args, item) = (dice.noise(0), dice.noise(0));
        let _ = fork(quote!(#args #item));
        let _ = recipe(args, item.clone());
        let _ = settings(item.clone());
        let _ = domain(item);
    }
}

/// Chance from a seed, so that a failure can be seen again (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or(0)
    }

    /// The tokens with a few dropped, doubled, swapped or replaced, at any depth.
    fn changed(&mut self, tokens: TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
        for _ in 0..=self.below(2) {
            if trees.is_empty() {
                break;
            }
            let (one, other) = (self.below(trees.len()), self.below(trees.len()));
            match (self.below(7), trees[one].clone()) {
                (0, _) => drop(trees.remove(one)),
                (1, tree) => trees.insert(other, tree),
                (2, _) => trees.swap(one, other),
                (3, _) => trees[one] = self.token(0),
                (_, TokenTree::Group(group)) => {
                    let within = self.changed(group.stream());
                    trees[one] = Group::new(group.delimiter(), within).into();
                }
                _ => {
                    if let Some(place) = trees.iter().rposition(|tree| matches!(tree, TokenTree::Group(_)))
                        && let TokenTree::Group(group) = trees[place].clone()
                    {
                        trees[place] = Group::new(group.delimiter(), self.changed(group.stream())).into();
                    }
                }
            }
        }
        trees.into_iter().collect()
    }

    fn noise(&mut self, depth: usize) -> TokenStream {
        (0..self.below(8)).map(|_| self.token(depth)).collect()
    }

    fn token(&mut self, depth: usize) -> TokenTree {
        const WORDS: [&str; 14] = [
            "struct", "enum", "pub", "self", "_x", "teacher", "with", "domain", "data", "loss", "Frozen",
            "impl", "fn", "dyn",
        ];
        const MARKS: [char; 12] = ['#', ':', '=', ',', ';', '<', '>', '&', '!', '$', '-', '.'];
        const CLOSED: [Delimiter; 4] =
            [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
        match self.below(if depth < 3 { 10 } else { 8 }) {
            0..=2 => Ident::new(WORDS[self.below(WORDS.len())], Span::call_site()).into(),
            3 => Ident::new_raw("type", Span::call_site()).into(),
            4 => Literal::string("text").into(),
            5 => Literal::f64_unsuffixed(0.5).into(),
            6 => Punct::new(MARKS[self.below(MARKS.len())], Spacing::Joint).into(),
            7 => Punct::new(MARKS[self.below(MARKS.len())], Spacing::Alone).into(),
            _ => Group::new(CLOSED[self.below(CLOSED.len())], self.noise(depth + 1)).into(),
        }
    }
}
