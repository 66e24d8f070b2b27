//! Tokens become an answer: lists, sets, intervals, equations. Expressions are in `expression.rs`.

use super::relations::related;
use super::tokens::{tokens, Token};
use super::value::Answer;

/// Why an answer cannot be read.
pub(super) type Read<T> = Result<T, String>;

/// Brackets and calls in one another at most.
const DEEPEST: usize = 40;
/// Operations of one answer at most: more are no answer, and what reads them goes as deep.
const OPERATIONS: usize = 300;

/// Reads an answer. `worded`: words after a number are units of whatever kind, as in "12 apples", and no letters
/// to calculate with.
///
/// # Errors
/// Text that is no number and no expression, with the reason.
pub(super) fn read(text: &str, worded: bool) -> Read<Answer> {
    let tokens = tokens(text)?;
    let signed = |sign: char, turned: char| {
        let turn = |token: &Token| match token {
            Token::Sign('±') => Token::Sign(sign),
            Token::Sign('∓') => Token::Sign(turned),
            other => other.clone(),
        };
        Parser::new(tokens.iter().map(turn).collect(), worded).whole()
    };
    if tokens.iter().any(|token| matches!(token, Token::Sign('±' | '∓'))) {
        return Ok(Answer::Several(vec![signed('+', '-')?, signed('-', '+')?]));
    }
    Parser::new(tokens, worded).whole()
}

/// Reads tokens from left to right.
pub(super) struct Parser {
    tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) worded: bool,
    depth: usize,
    operations: usize,
    /// Inside how many brackets: there a comma stands between two, and never inside a number.
    brackets: usize,
}

impl Parser {
    fn new(tokens: Vec<Token>, worded: bool) -> Self {
        Self { tokens, at: 0, worded, depth: 0, operations: 0, brackets: 0 }
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn sign(&self) -> Option<char> {
        self.sign_at(self.at)
    }

    pub(super) fn sign_at(&self, at: usize) -> Option<char> {
        match self.tokens.get(at) {
            Some(Token::Sign(sign)) => Some(*sign),
            _ => None,
        }
    }

    pub(super) fn letter_at(&self, at: usize) -> Option<char> {
        match self.tokens.get(at) {
            Some(Token::Letter(letter)) => Some(*letter),
            _ => None,
        }
    }

    pub(super) fn digit_at(&self, at: usize) -> Option<char> {
        match self.tokens.get(at) {
            Some(Token::Digit(digit)) => Some(*digit),
            _ => None,
        }
    }

    pub(super) fn grouped(&self) -> bool {
        self.brackets == 0
    }

    /// Passes over blanks; whether there were some.
    pub(super) fn blanks(&mut self) -> bool {
        let from = self.at;
        while self.peek() == Some(&Token::Space) {
            self.at += 1;
        }
        self.at > from
    }

    pub(super) fn eat(&mut self, sign: char) -> bool {
        let there = self.sign() == Some(sign);
        self.at += usize::from(there);
        there
    }

    pub(super) fn must(&mut self, sign: char) -> Read<()> {
        self.blanks();
        if self.eat(sign) {
            Ok(())
        } else {
            Err(format!("a `{sign}` is missing"))
        }
    }

    /// One level deeper.
    pub(super) fn deeper<T>(&mut self, inside: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= DEEPEST {
            return Err(format!("brackets stand in one another more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let found = inside(self);
        self.depth -= 1;
        found
    }

    /// One operation more.
    pub(super) fn count(&mut self) -> Read<()> {
        self.operations += 1;
        if self.operations > OPERATIONS {
            return Err(format!("an answer of more than {OPERATIONS} operations is not read"));
        }
        Ok(())
    }

    fn whole(mut self) -> Read<Answer> {
        let mut all = self.list()?;
        while matches!(self.sign(), Some('.' | ',' | ';')) || self.peek() == Some(&Token::Space) {
            self.at += 1;
        }
        if self.at < self.tokens.len() {
            return Err("something stands after it that belongs to no number and no expression".into());
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Answer::Several(all) })
    }

    /// Parts between commas, semicolons, "and" and "or".
    fn list(&mut self) -> Read<Vec<Answer>> {
        let mut all = vec![self.part()?];
        loop {
            let before = self.at;
            self.blanks();
            let mut joined = false;
            while matches!(self.sign(), Some(',' | ';')) || self.joint() {
                joined = true;
                self.at += 1;
                self.blanks();
            }
            // a comma at the very end is the end of a sentence
            if !joined || self.at >= self.tokens.len() {
                self.at = before;
                return Ok(all);
            }
            self.count()?;
            all.push(self.part()?);
        }
    }

    /// Whether "and" or "or" stands here; it is passed over but for its last letter.
    fn joint(&mut self) -> bool {
        for word in ["and", "or"] {
            let letters = (0..=word.len()).map(|i| self.letter_at(self.at + i));
            if letters.eq(word.chars().map(Some).chain([None])) {
                self.at += word.len() - 1;
                return true;
            }
        }
        false
    }

    /// Sets or intervals that are joined, or one of anything.
    fn part(&mut self) -> Read<Answer> {
        let first = self.single()?;
        let mut all = vec![first];
        loop {
            let before = self.at;
            self.blanks();
            if !self.eat('∪') {
                self.at = before;
                break;
            }
            self.count()?;
            all.push(self.single()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Answer::Union(all) })
    }

    fn single(&mut self) -> Read<Answer> {
        self.blanks();
        self.called()?;
        if let Some(Token::Words(words)) = self.peek() {
            let words = words.clone();
            self.at += 1;
            self.blanks();
            if !self.eat('=') {
                return Ok(Answer::Word(words));
            }
            self.blanks();
        }
        match self.sign() {
            Some('∅') => {
                self.at += 1;
                Ok(Answer::Several(vec![]))
            }
            Some('⦃') => self.bracketed('⦄').map(|(_, all, _)| Answer::Several(all)),
            Some('{') if self.holds_several() => self.bracketed('}').map(|(_, all, _)| Answer::Several(all)),
            Some('(' | '[') if self.holds_several() => {
                self.bracketed(' ').map(|(open, all, close)| Answer::Ordered(open, all, close))
            }
            _ => match self.peek() {
                Some(Token::Command(name)) if name.starts_with("begin ") => self.matrix(),
                _ => self.relation(),
            },
        }
    }

    /// Passes over `x ∈`.
    fn called(&mut self) -> Read<()> {
        let before = self.at;
        if self.letter_at(self.at).is_some() {
            self.at += 1;
            self.blanks();
            if self.eat('∈') {
                self.blanks();
                return Ok(());
            }
        }
        self.at = before;
        Ok(())
    }

    /// Whether a comma stands between the bracket here and the one that closes it, and nothing to calculate with
    /// after that.
    fn holds_several(&self) -> bool {
        let (mut depth, mut several) = (0usize, false);
        for at in self.at..self.tokens.len() {
            match self.sign_at(at) {
                Some('(' | '[' | '{' | '⦃') => depth += 1,
                Some(')' | ']' | '}' | '⦄') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        let next = self.tokens[at + 1..].iter().find(|token| **token != Token::Space);
                        return several
                            && matches!(
                                next,
                                None | Some(
                                    Token::Words(_)
                                        | Token::Letter(_)
                                        | Token::Sign(')' | ']' | '⦄' | '}' | ',' | ';' | '.' | '∪')
                                )
                            );
                    }
                }
                Some(',' | ';') if depth == 1 => several = true,
                _ => {}
            }
        }
        false
    }

    /// A list in brackets; `close` is how it ends, or a blank where `)` and `]` both can.
    fn bracketed(&mut self, close: char) -> Read<(char, Vec<Answer>, char)> {
        let open = self.sign().unwrap_or('(');
        self.at += 1;
        self.brackets += 1;
        self.blanks();
        let all = if self.sign() == Some(close) { Ok(vec![]) } else { self.deeper(Self::list) };
        self.brackets -= 1;
        self.blanks();
        let end = self.sign().filter(|sign| if close == ' ' { ")]".contains(*sign) } else { *sign == close });
        self.at += 1;
        Ok((open, all?, end.ok_or("a bracket is missing")?))
    }

    fn matrix(&mut self) -> Read<Answer> {
        let Some(Token::Command(begin)) = self.peek() else { return Err("no matrix".into()) };
        let name = begin.strip_prefix("begin ").unwrap_or_default().to_string();
        if !name.ends_with("matrix") {
            return Err(format!("`{name}` is not understood"));
        }
        self.at += 1;
        let mut rows = vec![vec![]];
        loop {
            let cell = self.deeper(Self::single)?;
            self.count()?;
            if let Some(row) = rows.last_mut() {
                row.push(cell);
            }
            self.blanks();
            if self.eat('⏎') {
                self.blanks();
                // a row may end with `\\` before the end
                if !matches!(self.peek(), Some(Token::Command(_))) || !self.ends(&name) {
                    rows.push(vec![]);
                }
            } else if !self.eat('&') && !self.ends(&name) {
                return Err("a matrix does not end".into());
            }
            if self.ends(&name) {
                self.at += 1;
                return Ok(Answer::Matrix(rows));
            }
        }
    }

    fn ends(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Command(end)) if end.strip_prefix("end ") == Some(name))
    }

    /// An expression, or several between signs of relation.
    fn relation(&mut self) -> Read<Answer> {
        let mut all = vec![];
        let mut signs = vec![];
        self.blanks();
        // `= 5`
        self.eat('=');
        loop {
            all.push(self.expression()?);
            let before = self.at;
            self.blanks();
            let Some(sign) = self.sign().filter(|sign| "=<>≤≥≠".contains(*sign)) else {
                self.at = before;
                break;
            };
            self.at += 1;
            signs.push(if self.eat('=') {
                if sign == '<' {
                    '≤'
                } else {
                    '≥'
                }
            } else {
                sign
            });
        }
        related(all, &signs)
    }
}
