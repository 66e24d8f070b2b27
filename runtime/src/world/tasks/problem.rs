//! What every problem has, whatever its domain: a body, worked steps, hints, a prompt.

/// One worked step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The operation as it stands in the body: `*9`, `l`.
    pub text: String,
    /// The letter of the operation: `*`, `l`.
    pub letter: char,
    /// What comes out: `87`, `4899`.
    pub result: String,
}

/// A problem and its true solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The prompt without hint and `>`: `^m43*9-6`.
    pub body: String,
    /// The steps, at least one.
    pub steps: Vec<Step>,
}

impl Problem {
    /// The final result.
    pub fn answer(&self) -> &str {
        self.steps.last().map_or("", |step| &step.result)
    }

    /// All results but the last, joined by `;`: empty for a problem of one step.
    pub fn hints(&self) -> String {
        let before_last = self.steps.len().saturating_sub(1);
        let results: Vec<_> = self.steps.iter().take(before_last).map(|step| step.result.as_str()).collect();
        results.join(";")
    }

    /// The prompt without a hint.
    pub fn prompt(&self) -> String {
        format!("{}>", self.body)
    }

    /// The same problem answered without its steps: `=70`.
    pub(super) fn last_alone(mut self) -> Self {
        self.steps.drain(..self.steps.len().saturating_sub(1));
        self.steps.iter_mut().for_each(|step| step.text.clear());
        self
    }

    /// The worked response, without its end token; `write` puts down each digit of a result.
    pub fn response(&self, mut write: impl FnMut(&Step, char) -> char) -> String {
        let mut response = String::new();
        for (at, step) in self.steps.iter().enumerate() {
            let last = at + 1 == self.steps.len();
            response.push_str(&step.text);
            response.push(if last { '=' } else { ':' });
            response.extend(step.result.chars().map(|digit| write(step, digit)));
            if !last {
                response.push(';');
            }
        }
        response
    }
}

/// The prompt with `hints` put before its `>` (at its end where it has none).
///
/// Empty hints change nothing, and a prompt that carries a hint already is left as it is.
pub fn with_hint(prompt: &str, hints: &str) -> String {
    if hints.is_empty() || prompt.contains('?') {
        return prompt.to_owned();
    }
    match prompt.strip_suffix('>') {
        Some(body) => format!("{body}?{hints}>"),
        None => format!("{prompt}?{hints}"),
    }
}

/// The body of a prompt: without its hint and its `>`.
pub(super) fn body(prompt: &str) -> Result<&str, String> {
    let inside = prompt.strip_suffix('>').ok_or("a task prompt ends with `>`")?;
    if inside.contains('>') {
        return Err("a task prompt has one `>`, at its end".into());
    }
    Ok(inside.split_once('?').map_or(inside, |(body, _hint)| body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_goes_before_the_end_once() {
        assert_eq!(with_hint("^m43*9-6>", "87"), "^m43*9-6?87>");
        assert_eq!(with_hint("^m43*9-6?87>", "87"), "^m43*9-6?87>");
        assert_eq!(with_hint("^m43*9>", ""), "^m43*9>");
        assert_eq!(with_hint("say", "it"), "say?it");
    }

    #[test]
    fn the_body_is_what_stands_before_hint_and_end() {
        assert_eq!(body("^m43*9-6?87>"), Ok("^m43*9-6"));
        assert_eq!(body("^clis:9489>"), Ok("^clis:9489"));
        assert!(body("^m43*9").is_err());
        assert!(body("^m4>3*9>").is_err());
        assert_eq!(body(">"), Ok(""));
    }
}
