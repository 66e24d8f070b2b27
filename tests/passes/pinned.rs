//! One recipe in worlds of two sizes; what compares as many tokens as there are, fits.

use limbeck::prelude::*;
use limbeck::world::{Architecture, FromFiles, Pinned, Vocabulary};

struct Sums;

impl Vocabulary for Sums {
    const SIZE: usize = 8;
    const NAME: &'static str = "sums";
}

struct Words;

impl Vocabulary for Words {
    const SIZE: usize = 50_000;
    const NAME: &'static str = "words";
}

macro_rules! architecture {
    ($name:ident speaks $vocabulary:ty) => {
        struct $name;

        impl Architecture for $name {
            type Vocabulary = $vocabulary;
            const NAME: &'static str = stringify!($name);
            const HIDDEN: usize = 16;
            const LAYERS: usize = 1;
            const HEADS: usize = 2;
            const KV_HEADS: usize = 1;
        }
    };
}

architecture!(Small speaks Sums);
architecture!(Large speaks Words);

#[recipe]
struct Narrow {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    #[with(tail = Tail::Bucket)]
    loss: ForwardKl<TopK<8>>,
    step: AdamW,
}

limbeck::fits!(Narrow, Pinned<Small, (Small,)>);
limbeck::fits!(Narrow, Pinned<Large, (Large, Large)>);
limbeck::fits!(Narrow, FromFiles<limbeck::tensor::Cpu>);

#[test]
fn a_recipe_knows_the_narrowest_vocabulary_it_fits() {
    assert_eq!(Narrow::FACTS.vocabulary, 8);
}
