//! What the student said to held-out prompts before the run and after it.

use super::html::{clip, escape};
use super::samples::images;
use super::{Answered, Answers, Said};

const MOST_CHARACTERS: usize = 4_000;

pub(super) fn render(answers: &Answers) -> String {
    if answers.some.is_empty() {
        return String::new();
    }
    let [[wrong, learnt], [lost, right]] = answers.counts;
    let cards: String = answers.some.iter().map(card).collect();
    format!(
        "<p class=\"note\">Of {} answers to held-out prompts, {learnt} became right, {lost} became wrong, {right} were right \
         both times and {wrong} were wrong both times. Some of each:</p>\n\
         <div class=\"answers\">\n{cards}</div>\n",
        wrong + learnt + lost + right,
    )
}

fn card(answered: &Answered) -> String {
    let (class, says) = match (answered.before.correct, answered.after.correct) {
        (false, true) => ("right", "became right"),
        (true, false) => ("wrong", "became wrong"),
        (false, false) => ("wrong", "wrong both times"),
        (true, true) => ("right", "right both times"),
    };
    let truth = answered.answer.as_ref().map_or(String::new(), |answer| {
        format!("<span>answer <code>{}</code></span>", escape(&clip(answer, MOST_CHARACTERS)))
    });
    format!(
        "<article><header><span>{}</span>{truth}<span class=\"badge {class}\">{says}</span></header>\n\
         {}<pre class=\"prompt\">{}</pre>\n<dl>{}{}</dl></article>\n",
        escape(&answered.domain),
        images(&answered.images),
        escape(&clip(answered.prompt.trim_end(), MOST_CHARACTERS)),
        said("before", &answered.before),
        said("after", &answered.after),
    )
}

fn said(when: &str, said: &Said) -> String {
    let (class, sign) = if said.correct { ("up", "✓") } else { ("down", "✗") };
    let text = escape(&clip(said.text.trim_end(), MOST_CHARACTERS));
    format!("<dt>{when} <b class=\"{class}\">{sign}</b></dt><dd><pre>{text}</pre></dd>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_answers_stand_under_their_prompt() {
        let said = |text: &str, correct| Said { text: text.into(), correct };
        let one = Answered {
            prompt: "^v<image>#r>".into(),
            answer: Some("2".into()),
            before: said("1,0=1", false),
            after: said("1,1=2", true),
            ..Answered::default()
        };
        let html = render(&Answers { counts: [[3, 1], [0, 4]], some: vec![one] });
        assert!(html.contains("Of 8 answers") && html.contains("1 became right, 0 became wrong"));
        let at = |text: &str| html.find(text).unwrap();
        assert!(at("^v&lt;image&gt;#r&gt;") < at("1,0=1") && at("1,0=1") < at("1,1=2"));
        assert_eq!(render(&Answers::default()), "");
    }
}
