//! Reading the tree: its files, and their code apart from comments, strings and tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of the tree.
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    pub bytes: Vec<u8>,
}

impl File {
    /// `None` for what is not text.
    pub fn text(&self) -> Option<&str> {
        if self.bytes.contains(&0) {
            return None;
        }
        std::str::from_utf8(&self.bytes).ok()
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }
}

/// Every file of the tree that `.gitignore` does not name.
pub fn tree() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap();
    let ignored: Vec<&str> = ignored.lines().collect();
    let mut files = Vec::new();
    walk(root, "", &ignored, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|file| file.path == "runtime/src/lib.rs"), "the tree is not where it should be");
    files
}

fn walk(folder: &Path, prefix: &str, ignored: &[&str], files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        let is_ignored = |line: &&str| match (line.strip_prefix('/'), line.rsplit_once('*')) {
            (Some(at_the_root), _) => at_the_root == path,
            (None, Some((_, ending))) => name.ends_with(ending),
            (None, None) => *line == name,
        };
        if name == ".git" || ignored.iter().any(is_ignored) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), ignored, files);
        } else if kind.is_file() {
            // a file that another test has just removed is no concern of ours
            let Ok(bytes) = fs::read(entry.path()) else { continue };
            files.push(File { path, bytes });
        }
    }
}

/// Rust without its comments, and with `strings` false without what stands in quotes; lines stay lines.
pub fn code(text: &str, strings: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let blank = |out: &mut String, some: &[char]| {
        out.extend(some.iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
    };
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let end = match rest {
            ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => quoted(rest),
            ['r', '"', ..] | ['r', '#', '"' | '#', ..] if !before_is_word(&chars, at) => raw_string(rest),
            ['\'', '\\', _, more @ ..] => 4 + more.iter().position(|&c| c == '\'').unwrap_or(0),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if end == 0 {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let end = end.min(rest.len());
        if strings && rest[0] != '/' {
            out.extend(&rest[..end]);
        } else {
            blank(&mut out, &rest[..end]);
        }
        at += end;
    }
    out
}

fn before_is_word(chars: &[char], at: usize) -> bool {
    at > 0 && is_word(chars[at - 1])
}

/// Whether `c` can be part of a name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// 0 when it is a raw identifier and no string.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut close = vec!['"'];
    close.extend(vec!['#'; hashes]);
    let body = 2 + hashes;
    let end = rest[body..].windows(close.len()).position(|some| some == close);
    end.map_or(rest.len(), |end| body + end + close.len())
}

/// Blanks the item or the group that follows each `mark`: up to its `;` or its closing bracket.
pub fn without(mut text: String, mark: &str, ends: impl Fn(char) -> bool) -> String {
    let mut from = 0;
    while let Some(found) = text[from..].find(mark) {
        let start = from + found;
        let after = start + mark.len();
        let (mut depth, mut end) = (0, text.len());
        for (place, c) in text[after..].char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            if depth <= 0 && ends(c) {
                end = after + place + c.len_utf8();
                break;
            }
        }
        let blank: String = text[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        text.replace_range(start..end, &blank);
        from = start + blank.len();
    }
    text
}

/// The code that ships: no comments, no strings, no tests, no tokens that are only written for users.
pub fn shipped(text: &str) -> String {
    let mut code = without(code(text, false), "#[cfg(test)]", |c| c == ';' || c == '}');
    for quote in ["quote!", "quote_spanned!"] {
        code = without(code, quote, |c| matches!(c, ')' | ']' | '}'));
    }
    code
}

/// The files and folders that a `#[cfg(test)] mod name;` brings in.
pub fn test_modules(files: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let text = code(file.text().unwrap_or_default(), false);
        let stem = Path::new(&file.path).with_extension("");
        let is_root = matches!(stem.file_name().and_then(|name| name.to_str()), Some("mod" | "lib" | "main"));
        let folder = if is_root { stem.parent().map_or_else(PathBuf::new, Path::to_path_buf) } else { stem };
        for after in text.split("#[cfg(test)]").skip(1) {
            let Some((item, _)) = after.split_once([';', '{']) else { continue };
            if let Some(("" | "pub(crate)", name)) =
                item.trim().rsplit_once("mod ").map(|(a, b)| (a.trim(), b))
            {
                let module = format!("{}/{}", folder.display(), name.trim());
                found.insert(format!("{module}.rs"));
                found.insert(format!("{module}/"));
            }
        }
    }
    found
}

#[test]
fn comments_strings_and_tests_are_told_from_code() {
    let text = "let a = \"// no\"; // yes\nlet b = '\"'; /* x */ let r = r#\"\"x\"\"#;\n#[cfg(test)]\nmod t { fn f() { x.unwrap() } }\nlet c = 'a';";
    assert_eq!(code(text, true).lines().next().map(str::trim), Some("let a = \"// no\";"));
    let code = shipped(text);
    assert!(!code.contains("unwrap") && !code.contains('x') && !code.contains("no"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
    assert!(code.ends_with("let c =    ;"), "{code}");
}
