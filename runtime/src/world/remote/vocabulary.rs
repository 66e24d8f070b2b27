//! Whether a server's model reads and names tokens as the student does.

use super::dialect::{tokenized, About, Said};
use super::handshake::of_text;
use super::http::{Endpoint, Trouble};
use super::self_test::score;

/// The server reads the text of each of `probes` as these tokens, or calls the tokens what the student calls them.
pub(super) fn reads_alike(endpoint: &Endpoint, about: &About, probes: &[Vec<u32>]) -> Result<(), Trouble> {
    for tokens in probes {
        let text = about.tokenizer.spell(tokens);
        let (path, body) = about.tokenize(&text);
        let theirs = match endpoint.post(path, &body) {
            Ok(answer) => tokenized(&answer).map_err(Trouble::bad_answer)?,
            // not every server can be asked: then what it calls the tokens is compared
            Err(Trouble::Lasting(_)) => return spells_alike(endpoint, about, probes),
            Err(passing) => return Err(passing),
        };
        if let Some(what) = read_otherwise(about, &text, tokens, &theirs) {
            return Err(Trouble::Lasting(what));
        }
    }
    Ok(())
}

/// How the two read `text`, where they read it as other tokens.
fn read_otherwise(about: &About, text: &str, ours: &[u32], theirs: &[u32]) -> Option<String> {
    let bare =
        |ids: &[u32]| ids.iter().copied().skip_while(|&id| Some(id) == about.bos).collect::<Vec<u32>>();
    let (ours, theirs) = (bare(ours), bare(theirs));
    let at = (0..ours.len().max(theirs.len())).find(|&at| ours.get(at) != theirs.get(at))?;
    let token = |ids: &[u32]| ids.get(at).map_or("none".to_string(), u32::to_string);
    let show = |ids: &[u32]| ids.iter().take(12).map(u32::to_string).collect::<Vec<_>>().join(" ");
    Some(format!(
        "{}: of {:?} token {at} is {} there and {} here; it reads {} tokens ({} …), and the student {} ({} …)",
        another(about),
        text.chars().take(40).collect::<String>(),
        token(&theirs),
        token(&ours),
        theirs.len(),
        show(&theirs),
        ours.len(),
        show(&ours)
    ))
}

fn another(about: &About) -> String {
    format!(
        "its model `{}` speaks another vocabulary than the student, whose tokenizer is `{}`",
        about.model,
        about.tokenizer.name()
    )
}

/// The server calls the tokens what the student calls them.
fn spells_alike(endpoint: &Endpoint, about: &About, probes: &[Vec<u32>]) -> Result<(), Trouble> {
    let mut compared = 0;
    for ask in probes.iter().filter_map(|tokens| of_text(about, tokens)) {
        let said = score(endpoint, about, &ask, 1)?;
        compared += spelled_alike(about, ask.scored(), &said).map_err(Trouble::Lasting)?;
    }
    if compared == 0 {
        return Err(Trouble::Lasting(format!(
            "nobody can tell whether its model `{}` has the student's vocabulary: it cannot be asked how it reads a text, and gives no text with its tokens; start the server with its tokenizer",
            about.model
        )));
    }
    Ok(())
}

/// How many tokens have a text that could be compared, or the first that is called otherwise.
fn spelled_alike(about: &About, ids: &[u32], said: &[Said]) -> Result<usize, String> {
    let mut compared = 0;
    for (&id, said) in ids.iter().zip(said) {
        let Some(theirs) = &said.text else { continue };
        let ours = about.tokenizer.spell(&[id]);
        match same(theirs, &ours) {
            Some(true) => compared += 1,
            Some(false) => {
                return Err(format!("{}: token {id} is {theirs:?} there and {ours:?} here", another(about)))
            }
            None => {}
        }
    }
    Ok(compared)
}

/// Whether two spellings are of one token; nothing where they do not tell.
///
/// A server spells a token with its space or without, with the space as `Ġ` or `▁`, and bytes that are part of a
/// character in its own way. What is spelled in ASCII on either side is spelled alike by all.
fn same(theirs: &str, ours: &str) -> Option<bool> {
    let space = |c: char| c.is_whitespace() || ['Ġ', 'Ċ', 'ĉ', 'č', '▁'].contains(&c);
    let bare = |text: &str| text.chars().filter(|&c| !space(c)).collect::<String>();
    let (theirs, ours) = (bare(theirs), bare(ours));
    let unclear = |text: &str| text.is_empty() || text.contains('\u{FFFD}') || text.starts_with("<0x");
    if unclear(&theirs) || unclear(&ours) {
        return None;
    }
    (theirs == ours || theirs.is_ascii() || ours.is_ascii()).then_some(theirs == ours)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::settings::Speaks;
    use super::*;
    use crate::world::tokenizer::Tokenizer;

    fn about() -> About {
        let tokenizer = Arc::new(Tokenizer::tasks().unwrap());
        About { speaks: Speaks::Sglang, model: "m".into(), bos: tokenizer.token_id("^"), tokenizer }
    }

    #[test]
    fn one_token_has_several_spellings() {
        for (theirs, ours) in
            [("the", " the"), ("Ġthe", " the"), ("▁the", " the"), ("inĠthe", "in the"), ("你好", "你好")]
        {
            assert_eq!(same(theirs, ours), Some(true), "{theirs:?} {ours:?}");
        }
        for (theirs, ours) in [("a", "the"), ("你好", "the"), ("the", "你好"), ("Ġthe", " The")] {
            assert_eq!(same(theirs, ours), Some(false), "{theirs:?} {ours:?}");
        }
    }

    /// Spaces alone, special tokens that are left out, parts of a character, and characters in bytes.
    #[test]
    fn what_does_not_tell_is_not_compared() {
        for (theirs, ours) in [
            ("Ċ", "\n"),
            (" ", "the"),
            ("", "<|im_end|>"),
            ("\u{FFFD}", "the"),
            ("âĢĻ", "’"),
            ("<0xE2>", "\u{FFFD}"),
            ("<0x41>", "A"),
        ] {
            assert_eq!(same(theirs, ours), None, "{theirs:?} {ours:?}");
        }
    }

    #[test]
    fn the_first_token_that_differs_is_named() {
        let about = about();
        let ids = about.tokenizer.encode("1+2").unwrap();
        let said = |texts: &[Option<&str>]| {
            let one = |text: &Option<&str>| Said {
                log_prob: -1.0,
                likeliest: Vec::new(),
                text: text.map(str::to_string),
            };
            spelled_alike(&about, &ids, &texts.iter().map(one).collect::<Vec<_>>())
        };
        assert_eq!(said(&[Some("1"), Some("Ġ+"), None]), Ok(2));
        assert_eq!(said(&[None, Some("\u{FFFD}"), Some("")]), Ok(0));
        let what = said(&[Some("1"), Some("-"), Some("x")]).unwrap_err();
        let token = format!("token {} is \"-\" there and \"+\" here", ids[1]);
        assert!(what.contains("another vocabulary than the student") && what.contains(&token), "{what}");
    }

    #[test]
    fn readings_are_compared_after_the_beginning() {
        let about = about();
        let bos = about.bos.unwrap();
        assert_eq!(read_otherwise(&about, "ab", &[bos, 5, 6], &[5, 6]), None);
        let what = read_otherwise(&about, "ab", &[bos, 5, 6], &[5, 7]).unwrap();
        assert!(what.contains(r#"of "ab" token 1 is 7 there and 6 here"#), "{what}");
        let what = read_otherwise(&about, "ab", &[5, 6], &[5]).unwrap();
        assert!(what.contains("token 1 is none there and 6 here"), "{what}");
    }
}
