//! Prompts with images: from files beside the data and from Parquet, for students and teachers with eyes and without; and
//! words for what does not fit.

mod common;

use std::fs;
use std::path::Path;

use common::{limbeck_in, model};
use limbeck::world::rows::{self, Columns};
use tempfile::TempDir;

/// A PNG of one colour, as the smallest writer makes it: stored blocks, no compression.
fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], &body, &crc(&body).to_be_bytes()].concat()
    };
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let line = [&[0][..], &colour.repeat(width as usize)].concat();
    let raw = line.repeat(height as usize);
    let mut packed = vec![0x78, 0x01];
    let blocks = raw.chunks(0xFFFF).count();
    for (i, block) in raw.chunks(0xFFFF).enumerate() {
        let length = block.len() as u16;
        packed.push(u8::from(i + 1 == blocks));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(adler(&raw).to_be_bytes());
    let start = b"\x89PNG\r\n\x1a\n".to_vec();
    [start, chunk(b"IHDR", &head), chunk(b"IDAT", &packed), chunk(b"IEND", &[])].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8)
            .fold(crc ^ u32::from(byte), |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn adler(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

/// A student with eyes, one without, images, and a run file.
struct Bench(TempDir);

const ROWS: &str = r#"{"prompt": "^v<image>#r>", "images": "red.png", "answer": "1", "domain": "scene", "reference": "ro=1"}
{"prompt": "^v<image>#r:b>", "images": ["blue.png"], "answer": "l", "domain": "scene", "reference": ";bq=l"}
{"prompt": "^v<image><image>+r>", "images": ["red.png", "blue.png"], "answer": "3", "domain": "scene", "reference": "r3=3"}
{"prompt": "^cs:9489>", "answer": "4899", "domain": "code", "reference": "s=4899"}
"#;

const RUN: &str = r#"Run(
    recipe: "VanillaOpdSingle", seed: 5, steps: 3, batch: 2, save_every: 1,
    student: "student", teachers: {"teacher": "teacher"}, data: "rows.jsonl",
    set: (rollout: (group_size: 3, max_response_tokens: 8), step: (lr: 1e-3)),
)
"#;

const EYES: [&str; 8] = ["--image", "16", "--patch", "4", "--eye-hidden", "8", "--eye-layers", "1"];

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, seed) in [("student", 1), ("teacher", 2)] {
            model(folder.path(), name, seed, &EYES);
        }
        let bench = Self(folder);
        bench.write("red.png", png(16, 16, [210, 40, 40]));
        bench.write("blue.png", png(24, 20, [40, 40, 210]));
        bench.write("rows.jsonl", ROWS);
        bench.write("run.ron", RUN);
        bench
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn limbeck(&self, words: &[&str]) -> common::Said {
        limbeck_in(self.0.path(), words)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap()
    }

    /// What is said of these rows.
    fn refused(&self, rows: &str, words: &[&str]) {
        self.write("rows.jsonl", rows);
        self.limbeck(&["train", "run.ron", "--out", "never"]).refused(2, words);
        assert!(!self.0.path().join("never").exists(), "nothing is left behind");
    }
}

#[test]
fn rows_bring_their_images_from_beside_the_data() {
    let bench = Bench::new();
    let read = rows::read(bench.0.path().join("rows.jsonl"), &Columns::default()).unwrap();
    let sizes = |i: usize| -> Vec<(u32, u32)> {
        read[i].images.pictures().unwrap().iter().map(|p| (p.width(), p.height())).collect()
    };
    assert_eq!(sizes(0), [(16, 16)]);
    assert_eq!(sizes(2), [(16, 16), (24, 20)]);
    assert_eq!(read[3].images.len(), 0);
    assert_eq!(&read[0].images.pictures().unwrap()[0].bytes()[..3], [210, 40, 40]);
    // written as rows write themselves, and read again
    rows::write_jsonl(bench.0.path().join("again.jsonl"), &read).unwrap();
    assert_eq!(rows::read(bench.0.path().join("again.jsonl"), &Columns::default()).unwrap(), read);
}

#[test]
fn parts_of_a_message_may_be_images() {
    let bench = Bench::new();
    let row = r#"{"prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what?"}]}], "picture": "red.png"}"#;
    bench.write("chat.jsonl", row);
    let columns = Columns::new([("images", "picture")]);
    let read = rows::read(bench.0.path().join("chat.jsonl"), &columns).unwrap();
    assert_eq!((read[0].prompt.to_string().as_str(), read[0].images.len()), ("user: <image>what?", 1));
}

#[test]
fn a_run_with_images_gives_the_same_bits_and_goes_on_with_them() {
    let bench = Bench::new();
    let said = bench.limbeck(&["check", "run.ron"]).good();
    assert!(said.out.contains("^v<image>"), "{}", said.out);
    for out in ["one", "other"] {
        bench.limbeck(&["train", "run.ron", "--out", out]).good();
    }
    let weights = |run: &str, step: u32| {
        bench.read(&format!("{run}/checkpoints/step-{step:06}/student/model.safetensors"))
    };
    assert!(weights("one", 3) == weights("other", 3));
    assert!(weights("one", 3) != weights("one", 2));
    fs::remove_dir_all(bench.0.path().join("other/checkpoints/step-000003")).unwrap();
    bench.limbeck(&["resume", "other"]).good();
    assert!(weights("one", 3) == weights("other", 3));
    // another image under the same name is other data
    fs::remove_dir_all(bench.0.path().join("other/checkpoints/step-000003")).unwrap();
    bench.write("red.png", png(16, 16, [210, 40, 41]));
    bench.limbeck(&["resume", "other"]).refused(2, &["what the images show is not the one"]);
}

#[test]
fn frozen_parts_stay_to_the_bit_also_after_a_stop() {
    let bench = Bench::new();
    let run = RUN.replace("    set:", "    freeze: [Tower, Decoder],\n    set:");
    bench.write("run.ron", run);
    bench.limbeck(&["train", "run.ron", "--out", "frozen"]).good();
    fs::remove_dir_all(bench.0.path().join("frozen/checkpoints/step-000003")).unwrap();
    bench.limbeck(&["resume", "frozen"]).good();
    let load = |folder: &str| {
        let device = limbeck::tensor::Cpu::default();
        limbeck::models::Decoder::load(&bench.0.path().join(folder), &device).unwrap()
    };
    let (before, after) = (load("student"), load("frozen/checkpoints/step-000003/student"));
    for (one, other) in before.parameters().iter().zip(after.parameters()) {
        let moved = one.name().contains("connector");
        assert_eq!(one.to_host() != other.to_host(), moved, "{}", one.name());
    }
    let said = bench.limbeck(&["check", "run.ron"]).good();
    assert!(said.out.contains("stay as they are: Tower, Decoder"), "{}", said.out);
}

#[test]
fn an_image_that_is_missing_damaged_hostile_or_too_large_is_named_with_its_row() {
    let bench = Bench::new();
    let row = |image: &str| {
        format!("{ROWS}{{\"prompt\": \"^v<image>#r>\", \"images\": {image}, \"domain\": \"scene\"}}\n")
    };
    let whole = png(16, 16, [1, 2, 3]);
    bench.write("cut.png", &whole[..whole.len() / 2]);
    bench.write("text.png", "no image at all");
    bench.write("gif.png", b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;");
    // a header that claims more pixels than there may be, and nothing behind it
    let mut bomb = png(1, 1, [0, 0, 0]);
    bomb[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    let sum = crc(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&sum);
    bench.write("bomb.png", bomb);
    fs::create_dir(bench.0.path().join("folder.png")).unwrap();
    for (image, words) in [
        ("\"none.png\"", "none.png cannot be read"),
        ("\"cut.png\"", "cut.png cannot be decoded"),
        ("\"text.png\"", "text.png is neither PNG nor JPEG"),
        ("\"gif.png\"", "gif.png is neither PNG nor JPEG"),
        ("\"bomb.png\"", "bomb.png is too large"),
        ("\"folder.png\"", "folder.png is not a file"),
        ("7", "`images` has a number where a path should be"),
        ("[\"red.png\", null]", "`images` has null where a path should be"),
    ] {
        bench.refused(&row(image), &[words, "rows.jsonl:5:"]);
    }
}

#[test]
fn images_and_their_places_are_counted() {
    let bench = Bench::new();
    let row = |prompt: &str, images: &str| {
        format!("{{\"prompt\": \"{prompt}\", \"images\": [{images}], \"domain\": \"scene\"}}\n")
    };
    let two = "\"red.png\", \"blue.png\"";
    bench.refused(&row("^v<image>#r>", two), &["places for 1 image, and the row shows 2 images", "row 1"]);
    bench.refused(&row("^v#r>", "\"red.png\""), &["places for 0 images, and the row shows 1 image"]);
    bench.refused(&row("^v<image>#r>", ""), &["places for 1 image, and the row shows 0 images"]);
}

#[test]
fn who_has_no_eyes_is_shown_nothing() {
    let bench = Bench::new();
    let tokenizer = bench.0.path().join("student/tokenizer.json");
    model(bench.0.path(), "blind", 3, &["--tokenizer", tokenizer.to_str().unwrap()]);
    bench.write("run.ron", RUN.replace("student: \"student\"", "student: \"blind\""));
    bench.limbeck(&["train", "run.ron"]).refused(2, &["the row shows 1 image, and the student has no eyes"]);
    bench.write("run.ron", RUN.replace("\"teacher\": \"teacher\"", "\"teacher\": \"blind\""));
    bench.limbeck(&["train", "run.ron"]).refused(2, &["the teacher `teacher` has no eyes", "row 1"]);
    // a teacher that reads an image as another number of tokens
    let mut other = EYES.to_vec();
    other.extend(["--fold", "1"]);
    model(bench.0.path(), "other", 4, &other);
    bench.write("run.ron", RUN.replace("\"teacher\": \"teacher\"", "\"teacher\": \"other\""));
    bench
        .limbeck(&["train", "run.ron"])
        .refused(2, &["reads an image as 16 tokens of id", "as 4 tokens of id"]);
}

#[test]
fn a_teacher_of_text_teaches_beside_one_with_eyes() {
    let bench = Bench::new();
    let tokenizer = bench.0.path().join("student/tokenizer.json");
    model(bench.0.path(), "blind", 3, &["--tokenizer", tokenizer.to_str().unwrap()]);
    let run = RUN
        .replace("VanillaOpdSingle", "UniOpdCrossModal")
        .replace("\"teacher\": \"teacher\"", "\"scene\": \"teacher\", \"code\": \"blind\"")
        .replace(
            "set: (",
            "eval: (data: \"rows.jsonl\"), set: (data: (samples: 2, max_response_tokens: 6), ",
        );
    bench.write("run.ron", run);
    bench.limbeck(&["check", "run.ron"]).good();
    bench.limbeck(&["train", "run.ron", "--out", "both"]).good();
    // each is judged on held-out rows that it can read
    let before: serde_json::Value = serde_json::from_slice(&bench.read("both/before.json")).unwrap();
    let judged = |teacher: &str| {
        let teachers = before["teachers"].as_array().unwrap();
        let found = teachers.iter().find(|known| known[0] == teacher).unwrap()[1].as_object().unwrap();
        found.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(judged("code"), ["code"]);
    assert_eq!(judged("scene"), ["code", "scene"]);
}

#[test]
fn evidence_and_a_coarse_view_are_images() {
    let bench = Bench::new();
    let rows = ROWS
        .lines()
        .take(2)
        .map(|row| row.replace("\"domain\"", "\"evidence\": [0, 0, 8, 8], \"domain\"") + "\n");
    let rows: String = rows.collect();
    bench.write("rows.jsonl", &rows);
    let run = RUN.replace("VanillaOpdSingle", "VisionOpd").replace("{\"teacher\": \"teacher\"}", "{}");
    bench.write("run.ron", &run);
    bench.limbeck(&["train", "run.ron", "--out", "evidence"]).good();
    let run = RUN.replace("VanillaOpdSingle", "VaOpd");
    let run = run.replace("\"teacher\": \"teacher\"", "\"teacher\": \"teacher\", \"pixelated\": \"teacher\"");
    bench.write("va.ron", &run);
    bench.limbeck(&["train", "va.ron", "--out", "coarse"]).good();
    // a box that is none
    bench.refused(
        &rows.replace("[0, 0, 8, 8]", "[8, 0, 8, 8]"),
        &["`evidence` is nothing the teacher can read"],
    );
    bench.refused(&rows.replace("[0, 0, 8, 8]", "\"here\""), &["[left, top, right, bottom] in pixels"]);
    bench.refused(ROWS, &["the row has no `evidence` for the teacher to read"]);
}

#[test]
fn images_of_a_folder_elsewhere_are_found_from_the_data_file() {
    let bench = Bench::new();
    let inner = bench.0.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::rename(bench.0.path().join("red.png"), inner.join("red.png")).unwrap();
    let row = r#"{"prompt": "<image>", "images": "red.png"}"#;
    fs::write(inner.join("rows.jsonl"), row).unwrap();
    let read = rows::read(Path::new(&inner).join("rows.jsonl"), &Columns::default()).unwrap();
    assert_eq!(read[0].images.pictures().unwrap().len(), 1);
}

#[test]
fn a_decoder_is_grafted_onto_eyes_and_learns_to_see_with_its_projection_alone() {
    let bench = Bench::new();
    model(bench.0.path(), "plain", 9, &[]);
    let fresh = ["--image", "16", "--patch", "4", "--eye-hidden", "8", "--eye-layers", "1"];
    bench.limbeck(&[&["graft", "--decoder", "plain", "--to", "fresh"], &fresh[..]].concat()).good();
    bench.limbeck(&["graft", "--decoder", "plain", "--eyes", "teacher", "--to", "given"]).good();
    let device = limbeck::tensor::Cpu::default();
    let load = |name: &str| limbeck::models::Decoder::load(&bench.0.path().join(name), &device).unwrap();
    let (plain, teacher) = (load("plain"), load("teacher"));
    for name in ["fresh", "given"] {
        let whole = load(name);
        assert_eq!(whole.config().vocab_size, plain.config().vocab_size + 1, "the mark of an image is new");
        for own in plain.parameters() {
            let inside = own.name().replace("model.", "model.text_model.");
            let grown =
                whole.parameters().iter().find(|one| one.name() == inside || one.name() == own.name());
            let (grown, own) = (grown.unwrap().to_host(), own.to_host());
            assert_eq!(grown[..own.len()], own);
        }
    }
    for eyes in load("given").parameters().iter().filter(|one| one.name().contains("vision_model")) {
        let same = teacher.parameters().iter().find(|one| one.name() == eyes.name()).unwrap();
        assert_eq!(eyes.to_host(), same.to_host());
    }
    bench
        .limbeck(&["graft", "--decoder", "plain", "--to", "nothing"])
        .refused(2, &["there is nothing to add"]);
    bench
        .limbeck(&["graft", "--decoder", "plain", "--eyes", "plain", "--to", "blind"])
        .refused(2, &["no eyes"]);
    let rows = "{\"prompt\": \"<image>1+1>\", \"images\": \"red.png\", \"reference\": \"=2\"}\n";
    bench.write("rows.jsonl", rows);
    let run = "Run(recipe: \"Sft\", steps: 2, batch: 1, student: \"fresh\", data: \"rows.jsonl\", freeze: [Tower, Decoder])";
    bench.write("run.ron", run);
    bench.limbeck(&["train", "run.ron", "--out", "aligned"]).good();
}
