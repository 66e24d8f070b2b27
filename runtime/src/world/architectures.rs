//! Architectures of common sizes as types, for [`Pinned`](super::Pinned) worlds, and a line to declare another.
//!
//! The numbers are those of the `config.json` files that the makers published, written down from knowledge and
//! not read from the files; a folder that differs is refused with both numbers when it is opened. A
//! vocabulary's size is the width of the logits, which is larger than the count of tokens where a table was
//! padded. Models of one family can differ in it: Qwen2.5 has 151936 up to 3B and 152064 from 7B on, so those
//! speak two vocabularies here.
//!
//! ```
//! use limbeck::world::architectures::{Qwen3_0_6B, Qwen3_8B};
//! use limbeck::world::{Architecture, Speaks, Vocabulary};
//!
//! // a teacher must speak the student's vocabulary
//! fn can_teach<T: Speaks<<S as Architecture>::Vocabulary>, S: Architecture>() {}
//! can_teach::<(Qwen3_8B,), Qwen3_0_6B>();
//! assert_eq!(<Qwen3_0_6B as Architecture>::Vocabulary::SIZE, 151_936);
//! ```

/// Declares an architecture, and its vocabulary unless that is there already.
///
/// ```
/// limbeck::architecture! {
///     /// What we train.
///     pub Small: vocabulary Sums = 39, hidden 16, layers 1, heads 2, kv_heads 1
/// }
/// // another one that speaks the same
/// limbeck::architecture! { pub Large: vocabulary Sums, hidden 64, layers 4, heads 4, kv_heads 2 }
///
/// // one with eyes says so
/// limbeck::architecture! {
///     pub Seeing: vocabulary Sums, hidden 64, layers 4, heads 4, kv_heads 2, sees images
/// }
///
/// use limbeck::world::{Architecture, Vocabulary};
/// assert!(Seeing::SEES && !Small::SEES);
/// assert_eq!((Small::NAME, Small::HIDDEN, Large::LAYERS), ("Small", 16, 4));
/// assert_eq!((Sums::NAME, Sums::SIZE), ("Sums", 39));
/// # fn same<A, B>() where A: Architecture, B: Architecture<Vocabulary = A::Vocabulary> {}
/// # same::<Small, Large>();
/// ```
#[macro_export]
macro_rules! architecture {
    (
        $(#[$doc:meta])* $vis:vis $name:ident: vocabulary $vocabulary:ident = $size:expr, $($dims:tt)*
    ) => {
        #[doc = concat!("The tokens of ", stringify!($name), ".")]
        #[derive(Clone, Copy, Debug)]
        $vis struct $vocabulary;

        impl $crate::world::Vocabulary for $vocabulary {
            const SIZE: usize = $size;
            const NAME: &'static str = stringify!($vocabulary);
        }

        $crate::architecture! { $(#[$doc])* $vis $name: vocabulary $vocabulary, $($dims)* }
    };
    (
        $(#[$doc:meta])* $vis:vis $name:ident: vocabulary $vocabulary:path, hidden $hidden:expr,
        layers $layers:expr, heads $heads:expr, kv_heads $kv_heads:expr $(,)?
    ) => {
        $crate::architecture! { @ $(#[$doc])* $vis $name, $vocabulary, $hidden, $layers, $heads, $kv_heads, false }
    };
    (
        $(#[$doc:meta])* $vis:vis $name:ident: vocabulary $vocabulary:path, hidden $hidden:expr,
        layers $layers:expr, heads $heads:expr, kv_heads $kv_heads:expr, sees images $(,)?
    ) => {
        $crate::architecture! { @ $(#[$doc])* $vis $name, $vocabulary, $hidden, $layers, $heads, $kv_heads, true }
    };
    (
        @ $(#[$doc:meta])* $vis:vis $name:ident, $vocabulary:path, $hidden:expr, $layers:expr, $heads:expr,
        $kv_heads:expr, $sees:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $crate::world::Architecture for $name {
            type Vocabulary = $vocabulary;
            const NAME: &'static str = stringify!($name);
            const HIDDEN: usize = $hidden;
            const LAYERS: usize = $layers;
            const HEADS: usize = $heads;
            const KV_HEADS: usize = $kv_heads;
            const SEES: bool = $sees;
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "an architecture is written: pub Small: vocabulary Sums = 39, hidden 16, layers 1, heads 2, kv_heads 1\n\
             (without the `= 39` where the vocabulary is declared already)"
        );
    };
}

crate::architecture! {
    /// [SmolLM2-135M](https://huggingface.co/HuggingFaceTB/SmolLM2-135M), and its `-Instruct`.
    pub SmolLm2_135M: vocabulary SmolLm2Tokens = 49_152, hidden 576, layers 30, heads 9, kv_heads 3
}
crate::architecture! {
    /// [Qwen2.5-0.5B](https://huggingface.co/Qwen/Qwen2.5-0.5B), and its `-Instruct`.
    pub Qwen2_5_0_5B: vocabulary Qwen2_5Tokens = 151_936, hidden 896, layers 24, heads 14, kv_heads 2
}
crate::architecture! {
    /// [Qwen2.5-1.5B](https://huggingface.co/Qwen/Qwen2.5-1.5B), and its `-Instruct`.
    pub Qwen2_5_1_5B: vocabulary Qwen2_5Tokens, hidden 1536, layers 28, heads 12, kv_heads 2
}
// as many logits as Qwen2.5, and other tokens: `<think>` is one
crate::architecture! {
    /// [Qwen3-0.6B](https://huggingface.co/Qwen/Qwen3-0.6B).
    pub Qwen3_0_6B: vocabulary Qwen3Tokens = 151_936, hidden 1024, layers 28, heads 16, kv_heads 8
}
crate::architecture! {
    /// [Qwen3-1.7B](https://huggingface.co/Qwen/Qwen3-1.7B).
    pub Qwen3_1_7B: vocabulary Qwen3Tokens, hidden 2048, layers 28, heads 16, kv_heads 8
}
crate::architecture! {
    /// [Qwen3-4B](https://huggingface.co/Qwen/Qwen3-4B).
    pub Qwen3_4B: vocabulary Qwen3Tokens, hidden 2560, layers 36, heads 32, kv_heads 8
}
crate::architecture! {
    /// [Qwen3-8B](https://huggingface.co/Qwen/Qwen3-8B).
    pub Qwen3_8B: vocabulary Qwen3Tokens, hidden 4096, layers 36, heads 32, kv_heads 8
}
crate::architecture! {
    /// [Llama-3.2-1B](https://huggingface.co/meta-llama/Llama-3.2-1B), and its `-Instruct`.
    pub Llama3_2_1B: vocabulary Llama3Tokens = 128_256, hidden 2048, layers 16, heads 32, kv_heads 8
}
