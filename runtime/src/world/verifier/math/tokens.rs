//! The letters of an answer as tokens: LaTeX and plain text come to one spelling here.

/// The longest answer that is read, in characters; what is longer is no answer.
pub(super) const LONGEST: usize = 2000;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Digit(char),
    Letter(char),
    /// An operator, a bracket or a sign, one character for each whatever its spelling was.
    Sign(char),
    /// A command of LaTeX that is not a sign: `frac`, `sqrt`, `sin`, `alpha`.
    Command(String),
    /// Words in a `\text{…}`.
    Words(String),
    Space,
}

/// Commands that are one sign.
const SIGNS: &[(&str, char)] = &[
    ("cdot", '*'),
    ("times", '*'),
    ("ast", '*'),
    ("div", '/'),
    ("le", '≤'),
    ("leq", '≤'),
    ("leqslant", '≤'),
    ("ge", '≥'),
    ("geq", '≥'),
    ("geqslant", '≥'),
    ("lt", '<'),
    ("gt", '>'),
    ("ne", '≠'),
    ("neq", '≠'),
    ("approx", '='),
    ("equiv", '='),
    ("pm", '±'),
    ("mp", '∓'),
    ("infty", '∞'),
    ("cup", '∪'),
    ("in", '∈'),
    ("lbrace", '⦃'),
    ("rbrace", '⦄'),
    ("langle", '('),
    ("rangle", ')'),
    ("lvert", '|'),
    ("rvert", '|'),
    ("vert", '|'),
    ("mid", '|'),
    ("circ", '°'),
    ("degree", '°'),
    ("pi", 'π'),
    ("emptyset", '∅'),
    ("varnothing", '∅'),
];

/// Commands that only change how things look.
const LOOKS: &[&str] = &[
    "left",
    "right",
    "big",
    "Big",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "bigg",
    "Bigg",
    "displaystyle",
    "textstyle",
    "limits",
    "mathopen",
    "mathclose",
];

/// Commands whose argument is text, or is set in another type.
const TEXTS: &[&str] = &[
    "text",
    "mbox",
    "textrm",
    "textnormal",
    "textbf",
    "textit",
    "mathrm",
    "mathbf",
    "mathit",
    "boldsymbol",
    "operatorname",
    "mathbb",
];

/// The tokens of `text`.
///
/// # Errors
/// Text that is too long, or has a character that no answer has.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    if text.chars().count() > LONGEST {
        return Err(format!("an answer of more than {LONGEST} characters is not read"));
    }
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    lex(&letters, 0, &mut found)?;
    Ok(found)
}

/// How deep texts stand in texts at most.
const NESTED: usize = 4;

fn lex(letters: &[char], depth: usize, found: &mut Vec<Token>) -> Result<(), String> {
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        at += 1;
        match letter {
            '\\' => at = command(letters, at, depth, found)?,
            '0'..='9' => found.push(Token::Digit(letter)),
            // `1{,}234`: a comma that does not make room
            '{' if letters[at..].starts_with(&[',', '}']) => at += 2,
            '*' if letters.get(at) == Some(&'*') => {
                at += 1;
                found.push(Token::Sign('^'));
            }
            '$' | '€' | '£' | '`' => {}
            '−' | '–' | '—' => found.push(Token::Sign('-')),
            '×' | '·' | '⋅' | '∗' => found.push(Token::Sign('*')),
            '÷' | '∕' => found.push(Token::Sign('/')),
            '²' => found.extend([Token::Sign('^'), Token::Digit('2')]),
            '³' => found.extend([Token::Sign('^'), Token::Digit('3')]),
            '√' => found.push(Token::Command("sqrt".into())),
            '≈' => found.push(Token::Sign('=')),
            '~' => found.push(Token::Space),
            _ if letter.is_whitespace() => found.push(Token::Space),
            'π' | '∞' | '∪' | '∈' | '≤' | '≥' | '≠' | '±' | '∓' | '°' | '∅' => {
                found.push(Token::Sign(letter))
            }
            _ if letter.is_alphabetic() => found.push(Token::Letter(letter)),
            _ if "+-*/^=<>()[]{}|,;:.!%_&'".contains(letter) => found.push(Token::Sign(letter)),
            _ => return Err(format!("`{letter}` stands in no number and no expression")),
        }
    }
    Ok(())
}

/// What follows a backslash; where reading goes on.
fn command(letters: &[char], at: usize, depth: usize, found: &mut Vec<Token>) -> Result<usize, String> {
    let name: String = letters[at..].iter().take_while(|c| c.is_ascii_alphabetic()).collect();
    let after = at + name.len();
    if name.is_empty() {
        match letters.get(at) {
            Some('{') => found.push(Token::Sign('⦃')),
            Some('}') => found.push(Token::Sign('⦄')),
            Some('%') => found.push(Token::Sign('%')),
            Some('|') => found.push(Token::Sign('|')),
            Some('\\') => found.push(Token::Sign('⏎')),
            // a thin space inside a number groups its digits
            Some(',' | '!') if letters.get(at + 1).is_some_and(char::is_ascii_digit) => {}
            Some(',' | ';' | ':' | ' ' | '\n') => found.push(Token::Space),
            Some('!' | '$' | '(' | ')' | '[' | ']' | '#') | None => {}
            Some(other) => return Err(format!("`\\{other}` is not understood")),
        }
        return Ok(at + 1);
    }
    if let Some((_, sign)) = SIGNS.iter().find(|(known, _)| *known == name) {
        found.push(Token::Sign(*sign));
    } else if name == "quad" || name == "qquad" {
        found.push(Token::Space);
    } else if ["dfrac", "tfrac", "cfrac"].contains(&name.as_str()) {
        found.push(Token::Command("frac".into()));
    } else if name == "dbinom" || name == "tbinom" {
        found.push(Token::Command("binom".into()));
    } else if name == "begin" || name == "end" {
        let (inside, next) = braced(letters, after).ok_or("a `\\begin` without its name")?;
        let environment: String = inside.iter().collect();
        found.push(Token::Command(format!("{name} {}", environment.trim())));
        return Ok(next);
    } else if TEXTS.contains(&name.as_str()) {
        let Some((inside, next)) = braced(letters, after) else { return Ok(after) };
        words(inside, depth, found)?;
        return Ok(next);
    } else if !LOOKS.contains(&name.as_str()) {
        found.push(Token::Command(name));
    }
    Ok(after)
}

/// What a `\text{…}` holds: a joint, mathematics in another type, or words.
fn words(inside: &[char], depth: usize, found: &mut Vec<Token>) -> Result<(), String> {
    let text: String = inside.iter().collect();
    let trimmed = text.trim();
    let letters = trimmed.chars().filter(|c| c.is_alphabetic()).count();
    match trimmed {
        "" => found.push(Token::Space),
        "and" | "or" | "," => found.push(Token::Sign(',')),
        _ if (letters < 2 || trimmed.contains(|c: char| c.is_ascii_digit())) && depth < NESTED => {
            lex(inside, depth + 1, found)?;
        }
        _ => found.push(Token::Words(trimmed.to_lowercase())),
    }
    Ok(())
}

/// What stands in the braces that open at `at`, and where it goes on after them.
fn braced(letters: &[char], at: usize) -> Option<(&[char], usize)> {
    let open = at + letters[at..].iter().take_while(|c| c.is_whitespace()).count();
    if letters.get(open) != Some(&'{') {
        return None;
    }
    let mut depth = 0;
    for (i, letter) in letters.iter().enumerate().skip(open) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&letters[open + 1..i], i + 1));
        }
    }
    None
}
