//! `limbeck import-gguf`: GGUF files made by llama.cpp's own package (`tests/gguf/make.py`) become the very
//! models they were made from, and damaged ones are refused in words.
#![cfg(feature = "gguf")]

use std::fs;
use std::path::{Path, PathBuf};

use limbeck::gguf::import;
use limbeck::models::{Decoder, WeightType};
use limbeck::tensor::Cpu;
use limbeck::world::tokenizer::Tokenizer;
use serde_json::Value;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn load(folder: &Path) -> Decoder<Cpu> {
    Decoder::load(folder, &Cpu::default()).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A model imported into a folder of its own.
fn imported(name: &str, as_: WeightType) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    import(&here(&format!("gguf/{name}.gguf")), &folder.path().join("model"), as_).unwrap();
    folder
}

#[test]
fn the_models_are_those_that_transformers_wrote() {
    for name in ["llama", "llama3", "linear", "qwen2", "yarn", "qwen3"] {
        let folder = imported(name, WeightType::F32);
        let (made, original) = (load(&folder.path().join("model")), load(&here(&format!("parity/{name}"))));
        assert_eq!(made.parameters().len(), original.parameters().len());
        for (made, original) in made.parameters().iter().zip(original.parameters()) {
            assert_eq!((made.name(), made.shape()), (original.name(), original.shape()), "{name}");
            assert_eq!(made.to_host(), original.to_host(), "{name}: {}", made.name());
        }
        let (ours, theirs) = (made.config(), original.config());
        assert_eq!(ours.family, theirs.family);
        assert_eq!(
            (ours.head_dim, ours.rope_theta, ours.rms_norm_eps, ours.max_position_embeddings),
            (theirs.head_dim, theirs.rope_theta, theirs.rms_norm_eps, theirs.max_position_embeddings)
        );
        // how often each pair turns, whichever way a scaling was written
        let (ours, theirs) = (ours.rates(), theirs.rates());
        let near = |(a, b): (&f32, &f32)| (a / b - 1.0).abs() < 1e-5;
        assert!(ours.radians.iter().zip(&theirs.radians).all(near), "{name}: {ours:?} {theirs:?}");
        assert!((ours.length - theirs.length).abs() < 1e-9, "{name}");
    }
}

#[test]
fn sixteen_bits_are_the_same_numbers_rounded() {
    let folder = imported("qwen3", WeightType::Bf16);
    let (made, original) = (load(&folder.path().join("model")), load(&here("parity/qwen3")));
    for (made, original) in made.parameters().iter().zip(original.parameters()) {
        for (a, b) in made.to_host().into_iter().zip(original.to_host()) {
            assert!((a - b).abs() <= b.abs() / 256.0, "{}: {a} {b}", made.name());
        }
    }
    assert_eq!(json(&folder.path().join("model/config.json"))["torch_dtype"], "bfloat16");
}

#[test]
fn the_tokenizer_is_the_one_inside() {
    // digits one by one, or up to three together
    for (name, numbers) in [
        ("llama", &[30, 31, 32, 33][..]),
        ("linear", &[53, 33]),
        ("llama3", &[53, 33]),
        ("qwen2", &[30, 31, 32, 33]),
    ] {
        let folder = imported(name, WeightType::F32);
        let model = folder.path().join("model");
        let tokenizer = Tokenizer::load(&model).unwrap();
        let ids = |text: &str| tokenizer.encode(text).unwrap();
        assert_eq!(ids("hello world"), [48, 55], "{name}");
        assert_eq!(ids("<|im_start|>hello<|im_end|>"), [1, 48, 2], "{name}");
        assert_eq!(ids("123 4").len(), ids("123").len() + 2);
        let digits = ids("1234");
        assert_eq!(digits.len(), numbers.len(), "{name}: {digits:?}");
        assert_eq!(tokenizer.decode(&ids("a world, 123.")), "a world, 123.");
        // rows of the table without a token are none of the tokenizer's
        assert_eq!((tokenizer.eos(), tokenizer.pad(), tokenizer.vocab_size()), (Some(2), Some(0), 56));
        assert!(tokenizer.has_chat_template());
        let generation = json(&model.join("generation_config.json"));
        assert_eq!(generation["eos_token_id"], serde_json::json!([2]));
        let config = json(&model.join("config.json"));
        assert_eq!((&config["bos_token_id"], &config["eos_token_id"]), (&1.into(), &2.into()));
    }
}

/// What `import` says about a file with these bytes; nothing may be left behind.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.gguf");
    fs::write(&file, bytes).unwrap();
    let error = import(&file, &folder.path().join("out"), WeightType::F32).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{error}");
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = fs::read(here("gguf/qwen3.gguf")).unwrap();
    for cut in (0..whole.len()).step_by(97).chain([1, 3, 4, 8, 23, 24, whole.len() - 64]) {
        let error = refused(&whole[..cut]);
        assert!(error.contains("model.gguf"), "{cut}: {error}");
    }
    assert!(refused(b"not a model at all, but long enough to be read").contains("not a whole GGUF file"));
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = fs::read(here("gguf/llama.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.gguf");
    let mut refusals = 0;
    // the header, where lengths and counts and types stand; the numbers after it may be any
    for at in (0..3200).step_by(7) {
        for value in [0xff, whole[at].wrapping_add(1)] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            fs::write(&file, &damaged).unwrap();
            let to = folder.path().join("out");
            match import(&file, &to, WeightType::F32) {
                // another name or number, perhaps, but a whole folder
                Ok(()) => {
                    assert!(to.join("tokenizer.json").is_file());
                    fs::remove_dir_all(&to).unwrap();
                }
                Err(error) => {
                    refusals += 1;
                    assert!(!to.exists() && !error.to_string().is_empty());
                }
            }
        }
    }
    assert!(refusals > 150, "{refusals}");
}

/// The file with `from` replaced by as many bytes.
fn with(name: &str, from: &str, to: &str) -> String {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(here(&format!("gguf/{name}.gguf"))).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    refused(&bytes)
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (name, from, to, words) in [
        ("qwen2", "qwen2", "gemma", "`gemma` models are not supported"),
        ("llama", "smollm", "falcon", "the pre-tokenizer `falcon` is not supported"),
        ("llama", "gpt2", "bert", "the tokenizer `bert` is not supported"),
        ("linear", "linear", "narrow", "rotary scaling of type `narrow` is not supported"),
        ("llama", "blk.1.attn_k.weight", "blk.1.attn_r.weight", "tensor `blk.1.attn_k.weight` is missing"),
        ("llama", "llama.block_count", "llama.block_hills", "`llama.block_count`: is missing"),
        ("qwen2", "blk.1.attn_k.bias", "blk.7.attn_k.bias", "tensor `blk.1.attn_k.bias` is missing"),
        ("llama", "hell o", "hexl o", "its tokenizer does not hold together"),
    ] {
        let error = with(name, from, to);
        assert!(error.contains(words) && error.contains("model.gguf"), "{error}");
    }
    let mut bytes = fs::read(here("gguf/llama.gguf")).unwrap();
    let end = bytes.len();
    bytes[end - 40..end - 32].copy_from_slice(&[0xff; 8]);
    assert!(refused(&bytes).contains("not finite"));
    let folder = imported("llama", WeightType::F32);
    let again = import(&here("gguf/llama.gguf"), &folder.path().join("model"), WeightType::F32);
    assert!(again.unwrap_err().to_string().contains("holds something already"));
}
