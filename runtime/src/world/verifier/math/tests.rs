use proptest::prelude::*;

use super::*;

fn judge(answer: &str, response: &str) -> Result<Option<bool>, String> {
    let mut row = Row::new("what is it?");
    row.answer = Some(answer.into());
    Math.judge(&row, response, true)
}

#[track_caller]
fn right(answer: &str, responses: &[&str]) {
    for response in responses {
        assert_eq!(judge(answer, response), Ok(Some(true)), "{answer} | {response}");
    }
}

#[track_caller]
fn wrong(answer: &str, responses: &[&str]) {
    for response in responses {
        assert_eq!(judge(answer, response), Ok(Some(false)), "{answer} | {response}");
    }
}

#[test]
fn numbers() {
    right("1234", &["1,234", r"\boxed{1234}", "1234.0", "So it is 1234.", "= 1234", "1{,}234", r"1\,234"]);
    right("3.5", &["7/2", r"\frac{7}{2}", r"3\frac{1}{2}", "3 1/2", r"\boxed{3.50}", "35e-1"]);
    right("-103", &["15 - 43 = -28; -28 - 75 = -103", "The answer is -103.", "#### -103"]);
    wrong("-103", &["103", "-28", "", "none", "-103.5", r"\boxed{103} or -103", "-1,03"]);
    right(r"\frac{1}{3}", &["0.333333", "1/3", r"\dfrac13", r"0.\overline{3}", "33.3333333%"]);
    wrong(r"\frac{1}{3}", &["0.333", "0.33333", "1/4"]);
    wrong("0.5", &["0.50001", "0.4999999"]);
    right("50", &["50%", r"50\%", "50 percent"]);
    right(
        "42",
        &["42 apples", "42 cm", r"42\text{ cm}^2", "$42", "42 km/h", "I think the answer is 42 apples."],
    );
    wrong("42", &["42x", "42 + x", "x"]);
}

#[test]
fn irrational_values_are_compared_closely() {
    right(r"2\sqrt{2}", &[r"\sqrt{8}", "2.828427", r"\frac{4}{\sqrt{2}}", "sqrt(8)", "8^{1/2}"]);
    wrong(r"2\sqrt{2}", &["2.83", r"\sqrt{7}", "2.82843"]);
    right(r"\frac{\pi}{2}", &[r"\pi/2", "1.570796", r"0.5\pi"]);
    right("0.5", &[r"\sin 30^\circ", r"\cos(\pi/3)", r"\sin\frac{\pi}{6}"]);
    right("3", &[r"\log_2 8", r"\ln e^3", "|-3|", r"\sqrt[3]{27}", r"\lfloor 3.7 \rfloor", r"\binom{3}{1}"]);
}

#[test]
fn arrangements() {
    right(r"\{1,2\}", &["2, 1", r"\{2, 1\}", r"x = 1 \text{ or } x = 2", "1 and 2", "{1, 2}"]);
    wrong(r"\{1,2\}", &["1", "1, 3", "1, 2, 3"]);
    right("(1, 2)", &["(1,2)", "1, 2", r"\left(1, \frac{4}{2}\right)"]);
    wrong("(1, 2)", &["(2, 1)", "[1, 2]", "1", "(1, 2, 3)"]);
    right(r"[0, \infty)", &[r"x \ge 0", r"x \in [0, \infty)", r"0 \leq x"]);
    wrong(r"[0, \infty)", &["x > 0", r"(0, \infty)", r"[0, -\infty)"]);
    right(r"(-\infty, 2) \cup (3, \infty)", &[r"(3,\infty)\cup(-\infty,2)"]);
    right(r"1 \pm \sqrt{2}", &[r"1 - \sqrt{2}, 1 + \sqrt{2}"]);
    right("(1, 3]", &[r"1 < x \le 3", r"3 \ge x > 1"]);
    right(
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        &[r"\begin{bmatrix}1&2\\3&\frac{8}{2}\end{bmatrix}"],
    );
    right(r"\text{even}", &["even", r"\boxed{\text{Even}}", "The answer is even."]);
    wrong(r"\text{even}", &["odd"]);
}

#[test]
fn expressions_with_letters() {
    right("x^2+2x+1", &["(x+1)^2", "x**2 + 2*x + 1", r"\boxed{(1+x)(x+1)}"]);
    wrong("x^2+2x+1", &["x^2+1", "4", "(y+1)^2"]);
    right("y = 2x + 1", &["2x+1", "y=1+2x", "2x - y + 1 = 0"]);
    right("2x + 3y = 6", &["4x + 6y = 12", "3y = 6 - 2x", "y = 2 - 2x/3"]);
    wrong("2x + 3y = 6", &["2x + 3y = 7", "6"]);
    right("5", &["x = 5", "x=5 is the only one, so x = 5"]);
    wrong("x = 5", &["y = 5", "x = 6"]);
    right(r"\sqrt{x^2+1}", &[r"(1+x^2)^{1/2}"]);
    right("3 + 2i", &["2i + 3", r"\sqrt{-4} + 3"]);
    right(r"\frac{x}{x+1}", &[r"1-\frac{1}{x+1}"]);
}

#[test]
fn a_row_that_cannot_be_read_is_the_datas_fault() {
    for answer in ["the red house", "", "1/0", "?", "9^{9^{9^9}}", r"\frac{1}", "(1, 2"] {
        assert!(judge(answer, "5").is_err_and(|why| why.contains("no number")), "{answer}");
        let row = Row { answer: Some(answer.into()), ..Row::new("?") };
        assert!(Math.fits(&row).is_err(), "{answer}");
    }
    assert_eq!(Math.judge(&Row::new("?"), "5", true), Ok(None));
    right("She has 3.\n#### 72", &["72"]);
    right(r"so $\boxed{\frac12}$", &["0.5"]);
}

#[test]
fn what_is_too_large_is_wrong_at_once() {
    let deep = format!("{}1{}", "(".repeat(900), ")".repeat(900));
    let frac = format!("{}1{}", r"\frac{1}{1+".repeat(200), "}".repeat(200));
    let long = "1+".repeat(900) + "1";
    let digits = "9".repeat(100_000);
    let boxes = r"\boxed{".repeat(50_000);
    let powers = "9^".repeat(400) + "9";
    for said in
        ["9^{9^{9^{9}}}", "(x+y+z)^{9999999}", "10000!!!!", &deep, &frac, &long, &digits, &boxes, &powers]
    {
        wrong("5", &[said, &format!(r"\boxed{{{said}}}")]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever is said, there is a verdict: no panic, no waiting.
    #[test]
    fn any_text_is_judged(said in "\\PC{0,60}", answer in "\\PC{0,20}") {
        prop_assert!(judge("5", &said).is_ok_and(|verdict| verdict.is_some()));
        let _ = judge(&answer, &said);
    }

    /// The same of texts that are nearly answers.
    #[test]
    fn nearly_an_answer(said in r"([0-9]{1,4}|[xyei]|\\frac|\\sqrt|\\pi|\\text\{|\\boxed\{|\\\{|[-+*/^_{}()\[\],.=<>|!% ]|\\pm|\\cup|\\infty|\\begin\{pmatrix\}|\\end\{pmatrix\}|&|\\\\){0,30}") {
        let _ = judge(&said, &said);
        prop_assert!(judge("x+1", &said).is_ok_and(|verdict| verdict.is_some()));
    }

    /// An answer that can be read is right.
    #[test]
    fn what_is_readable_is_itself(a in -999i64..999, b in 1i64..99, c in "[xy]", n in 1u32..5) {
        for answer in [
            format!("{a}"), format!("{a}/{b}"), format!(r"\frac{{{a}}}{{{b}}}{c}^{n}"),
            format!(r"\sqrt{{{b}}}+{a}"), format!("({a},{b})"), format!(r"\{{{a},{b},{c}\}}"),
        ] {
            prop_assert_eq!(judge(&answer, &format!(r"so \boxed{{{answer}}}")), Ok(Some(true)), "{}", answer);
        }
        prop_assert_eq!(judge(&format!("{a}"), &format!("{}", a + 1)), Ok(Some(false)));
    }
}
