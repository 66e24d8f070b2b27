//! What no message can say, because it cannot be got wrong: held by tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use limbeck::Recipe;
use limbeck_recipes::VanillaOpd;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::common::Bench;
use crate::row::root;

/// A mask made from token values would take the end out of the loss where it is the padding token as well.
#[test]
fn the_pad_may_be_the_end() {
    let bench = Bench::new();
    bench.copy("student", "padded");
    for (file, from, to) in [
        ("padded/config.json", "\"pad_token_id\": 0", "\"pad_token_id\": 2"),
        ("padded/tokenizer_config.json", "\"pad_token\": \"<pad>\"", "\"pad_token\": \"\\n\""),
    ] {
        let text = bench.read(file);
        assert!(text.contains(from), "{text}");
        bench.write(file, text.replace(from, to));
    }
    bench.run_with("padded.ron", &[("student: \"student\"", "student: \"padded\"")]);
    for (run, out) in [("run.ron", "apart"), ("padded.ron", "same")] {
        bench.limbeck(&["train", run, "--out", out, "--quiet"]).good();
    }
    for step in 1..=3 {
        let weights = |out: &str| {
            let folder = bench.path(out).join(format!("checkpoints/step-{step:06}/student"));
            std::fs::read(folder.join("model.safetensors")).unwrap()
        };
        assert_eq!(weights("apart"), weights("same"), "step {step}");
    }
    // it was not for want of ends, nor of losses at them
    let samples = bench.read("same/samples.jsonl");
    let ends = samples.lines().filter(|line| {
        let sample: serde_json::Value = serde_json::from_str(line).unwrap();
        let (tokens, losses) = (sample["tokens"].as_array().unwrap(), sample["loss"].as_array().unwrap());
        assert_eq!(tokens.len(), losses.len());
        tokens.last().unwrap() == 2 && losses.last().unwrap().as_f64().unwrap() != 0.0
    });
    assert!(ends.count() > 2, "{samples}");
}

/// A recipe that compares nothing with right answers has no verifier, and trains where none could judge.
#[test]
fn no_verifier_is_asked_for_that_nothing_needs() {
    assert!(VanillaOpd::PLAN.stages.iter().all(|stage| stage.stage != "verify"));
    assert!(!VanillaOpd::LOOP.contains("verify"), "{}", VanillaOpd::LOOP);
    let bench = Bench::new();
    bench.write("prompts.jsonl", "{\"prompt\": \"4*5\", \"domain\": \"math\"}\n".repeat(2));
    let run = "Run(recipe: \"VanillaOpd\", steps: 1, batch: 2, student: \"student\",\n\
               teachers: {\"math\": \"math\", \"code\": \"code\"}, data: \"prompts.jsonl\",\n\
               set: (rollout: (group_size: 2, max_response_tokens: 8)))\n";
    bench.write("plain.ron", run);
    bench.limbeck(&["train", "plain.ron", "--out", "out", "--quiet"]).good();
    let first = bench.read("out/metrics.jsonl");
    let line: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert!(line["loss"].as_f64().is_some() && line["reward"].is_null(), "{line}");
}

/// What a check alone reads: it is said, and changes nothing else.
const SAID_ONLY: [&str; 1] = ["collapse_is_known"];

/// A setting that nothing reads would be a switch that moves nothing.
#[test]
fn every_setting_is_read() {
    let mut files = Vec::new();
    rust_files(&root().join("runtime/src/stages"), &mut files);
    let (mut reads, mut settings) = (BTreeMap::<PathBuf, Reads>::new(), Vec::new());
    for path in files {
        let file = syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap();
        // a method is read in its own file, or beside it
        let folder = path.parent().unwrap().to_owned();
        reads.entry(folder.clone()).or_default().visit_file(&file);
        for item in file.items {
            let syn::Item::Struct(item) = item else { continue };
            let fields =
                item.fields.iter().filter(|field| derives_settings(&item.attrs) && !is_skipped(field));
            let named = fields.map(|field| (folder.clone(), item.ident.to_string(), field.ident.clone()));
            settings.extend(named);
        }
    }
    assert!(settings.len() > 50, "only {} settings were found", settings.len());
    let unread = settings.into_iter().filter_map(|(folder, method, setting)| {
        let setting = setting?.to_string();
        let is_read = reads[&folder].fields.contains(&setting) || SAID_ONLY.contains(&setting.as_str());
        (!is_read).then(|| format!("`{setting}` of {method}"))
    });
    let unread: Vec<String> = unread.collect();
    assert!(unread.is_empty(), "nothing reads {}", unread.join(", "));
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn derives_settings(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("Settings");
            Ok(())
        });
        found
    })
}

/// `#[setting(skip)]`: a field, and no setting.
fn is_skipped(field: &syn::Field) -> bool {
    let mut settings = field.attrs.iter().filter(|attribute| attribute.path().is_ident("setting"));
    settings.any(|attribute| attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "skip"))
}

/// The fields that a file reads, outside its tests and the checks of settings.
#[derive(Default)]
struct Reads {
    fields: BTreeSet<String>,
}

impl Reads {
    /// What stands after a dot in the words of a macro.
    fn after_dots(&mut self, tokens: TokenStream) {
        let mut dot = false;
        for token in tokens {
            match &token {
                TokenTree::Ident(name) if dot => drop(self.fields.insert(name.to_string())),
                TokenTree::Group(group) => self.after_dots(group.stream()),
                _ => {}
            }
            dot = matches!(&token, TokenTree::Punct(point) if point.as_char() == '.');
        }
    }
}

impl<'ast> Visit<'ast> for Reads {
    fn visit_expr_field(&mut self, field: &'ast syn::ExprField) {
        if let syn::Member::Named(name) = &field.member {
            self.fields.insert(name.to_string());
        }
        visit::visit_expr_field(self, field);
    }

    fn visit_field_pat(&mut self, field: &'ast syn::FieldPat) {
        if let syn::Member::Named(name) = &field.member {
            self.fields.insert(name.to_string());
        }
        visit::visit_field_pat(self, field);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.after_dots(call.tokens.clone());
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_check(&item.sig) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_check(&item.sig) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }
}

/// Whether this says what numbers cannot be.
fn is_check(signature: &syn::Signature) -> bool {
    signature.constness.is_some()
        && matches!(&signature.output, syn::ReturnType::Type(_, ty) if quote::quote!(#ty).to_string().contains("Fault"))
}
