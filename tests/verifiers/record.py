"""Asks math-verify for its verdicts on pairs of an answer and a response, and writes them down.

    pip install math-verify==0.9.0
    python record.py > math_verify.jsonl

One line a pair: {"answer": …, "response": …, "verdict": true}. tests/verifiers.rs compares them with `Math`.
"""

import importlib.metadata
import json
import logging
import random
import sys
from fractions import Fraction

from math_verify import parse, verify

PINNED = "0.9.0"

# an answer, responses that are right, responses that are wrong; for `\boxed{…}`
PAIRS = [
    # whole numbers
    ("42", ["42", "42.0", "+42", "042", "42.", "\\frac{84}{2}", "6 \\cdot 7", "6 \\times 7", "50 - 8", "40+2"],
     ["24", "-42", "4.2", "420", "42.5", "\\frac{42}{2}", "6+7", "x"]),
    ("-7", ["-7", "-7.0", "- 7", "\\frac{-14}{2}", "-\\frac{14}{2}", "3-10"], ["7", "-8", "-0.7", "-77"]),
    ("0", ["0", "-0", "0.0", "5-5", "\\frac{0}{3}"], ["1", "0.5", "-1"]),
    ("1234", ["1,234", "1{,}234", "1234", "1234.00"], ["1.234", "12,34", "234"]),
    ("1000000", ["1,000,000", "10^6", "10^{6}", "1\\times10^6", "1{,}000{,}000"], ["100000", "10^5", "1,000"]),
    # fractions
    ("\\frac{1}{2}", ["\\frac{1}{2}", "\\dfrac{1}{2}", "\\tfrac{1}{2}", "\\frac12", "1/2", "0.5", ".5", "\\frac{2}{4}",
                      "\\frac{50}{100}", "0.50"],
     ["\\frac{2}{1}", "2", "0.05", "1/3", "-\\frac{1}{2}", "0.51", "12"]),
    ("-\\frac{3}{4}", ["-\\frac{3}{4}", "\\frac{-3}{4}", "\\frac{3}{-4}", "-0.75", "-3/4", "-\\dfrac{6}{8}"],
     ["\\frac{3}{4}", "0.75", "-\\frac{4}{3}"]),
    ("\\frac{1}{3}", ["1/3", "\\frac{2}{6}", "0.333333", "0.33333333"], ["0.333", "0.3", "0.34", "1/4"]),
    ("\\frac{22}{7}", ["22/7", "3\\frac{1}{7}", "\\frac{44}{14}", "3.142857"], ["3.14", "\\pi", "7/22"]),
    ("3\\frac{1}{2}", ["3.5", "7/2", "\\frac{7}{2}", "3\\frac12", "3 \\frac{1}{2}"], ["3/2", "\\frac{3}{2}", "31/2", "3"]),
    ("2/3", ["\\frac{2}{3}", "4/6", "2 / 3"], ["3/2", "0.6"]),
    # decimals, scientific notation
    ("3.14", ["3.14", "3.140", "\\frac{314}{100}", "157/50"], ["3.15", "3.1", "31.4", "\\pi", "-3.14"]),
    ("0.001", ["0.001", "10^{-3}", "1 \\times 10^{-3}", "\\frac{1}{1000}", "1/1000"], ["0.01", "0.0001", "10^3"]),
    ("1.5 \\times 10^{3}", ["1500", "1.5 \\cdot 10^3", "15 \\times 10^2", "1,500"], ["150", "1.5", "1.5 \\times 10^2"]),
    ("6.02 \\times 10^{23}", ["6.02 \\times 10^{23}", "60.2 \\times 10^{22}"], ["6.02 \\times 10^{22}", "6.02"]),
    # percent, money, units, degrees
    ("50\\%", ["50\\%", "50", "0.5", "\\frac{1}{2}"], ["5\\%", "0.05", "55\\%"]),
    ("12.5\\%", ["12.5\\%", "12.5", "0.125", "1/8"], ["1.25", "125"]),
    ("\\$5", ["5", "\\$5", "\\$5.00", "5.00"], ["50", "\\$6"]),
    ("10 \\text{ cm}", ["10", "10 \\text{ cm}", "10\\text{cm}", "10\\,\\text{cm}", "10 \\mathrm{cm}"], ["11 \\text{ cm}", "1"]),
    ("90^\\circ", ["90", "90^\\circ", "90^{\\circ}"], ["80^\\circ", "9", "180"]),
    ("25", ["25 \\text{ cm}^2", "25 \\text{ square units}", "25\\text{ miles per hour}", "25 \\text{ apples}"],
     ["24 \\text{ cm}^2", "52"]),
    # roots and powers
    ("\\sqrt{2}", ["\\sqrt{2}", "\\sqrt2", "2^{1/2}", "2^{\\frac{1}{2}}", "\\frac{2}{\\sqrt{2}}", "1.414214", "1.41421356"],
     ["1.41", "2", "\\sqrt{3}", "-\\sqrt{2}", "1.5"]),
    ("2\\sqrt{3}", ["2\\sqrt{3}", "\\sqrt{12}", "2 \\cdot \\sqrt{3}", "\\frac{6}{\\sqrt{3}}", "3.464102"],
     ["3\\sqrt{2}", "\\sqrt{6}", "2\\sqrt{2}", "3.46"]),
    ("\\sqrt[3]{2}", ["\\sqrt[3]{2}", "2^{1/3}", "2^{\\frac13}"], ["\\sqrt{2}", "\\sqrt[3]{3}"]),
    ("5", ["\\sqrt{25}", "\\sqrt[3]{125}", "\\frac{\\sqrt{100}}{2}", "|{-5}|"], ["\\sqrt{5}", "-5", "\\sqrt{24}"]),
    ("1024", ["2^{10}", "2^10", "4^5", "32^2"], ["2^9", "210", "20"]),
    ("\\frac{\\sqrt{3}}{2}", ["\\frac{\\sqrt{3}}{2}", "\\sqrt{\\frac{3}{4}}", "\\sqrt{3}/2", "\\frac{1}{2}\\sqrt{3}", "0.866025"],
     ["\\frac{\\sqrt{2}}{2}", "\\frac{3}{2}", "0.87"]),
    ("1+\\sqrt{5}", ["\\sqrt{5}+1", "1+\\sqrt{5}", "1 + 5^{1/2}"], ["1-\\sqrt{5}", "\\sqrt{6}", "6"]),
    ("\\frac{1+\\sqrt{5}}{2}", ["\\frac{\\sqrt{5}+1}{2}", "\\frac12+\\frac{\\sqrt5}{2}", "1.618034"], ["1.6", "\\frac{1-\\sqrt{5}}{2}"]),
    # constants and functions
    ("\\pi", ["\\pi", "3.141593", "\\frac{2\\pi}{2}"], ["3.14", "\\frac{22}{7}", "2\\pi", "3"]),
    ("\\frac{\\pi}{4}", ["\\pi/4", "\\frac{1}{4}\\pi", "0.25\\pi", "\\frac{3\\pi}{12}"], ["\\frac{\\pi}{2}", "\\pi", "45"]),
    ("16\\pi", ["16\\pi", "16 \\pi", "16 \\cdot \\pi", "\\pi \\cdot 4^2"], ["16", "8\\pi", "16\\pi^2"]),
    ("3", ["\\log_2 8", "\\log_{2}{8}", "\\binom{3}{1}", "3!/2"], ["\\log_2 4", "\\binom{4}{2}"]),
    ("120", ["5!", "\\binom{10}{3}", "5 \\cdot 4!"], ["4!", "\\binom{10}{2}"]),
    ("\\ln 2", ["\\ln 2", "\\ln(2)", "0.693147"], ["\\ln 3", "2", "0.69"]),
    ("e^2", ["e^2", "e^{2}", "e \\cdot e", "7.389056"], ["e^3", "2e", "7.4"]),
    ("\\frac{1}{2}", ["\\sin\\frac{\\pi}{6}", "\\cos\\frac{\\pi}{3}"], ["\\sin\\frac{\\pi}{3}", "\\cos\\pi"]),
    # complex numbers
    ("3+2i", ["3+2i", "2i+3", "3 + 2 i"], ["3-2i", "2+3i", "3+2"]),
    ("-i", ["-i", "-1i", "i^3"], ["i", "1", "-1"]),
    # letters
    ("x^2+2x+1", ["(x+1)^2", "x^2+2x+1", "1+2x+x^2", "(x+1)(x+1)", "x(x+2)+1"], ["x^2+1", "(x-1)^2", "x^2+2x", "4", "(y+1)^2"]),
    ("x^2-y^2", ["(x-y)(x+y)", "-(y^2-x^2)", "x^2 - y^2"], ["(x-y)^2", "x^2+y^2", "x-y"]),
    ("\\frac{x}{x+1}", ["\\frac{x}{x+1}", "1-\\frac{1}{x+1}", "\\frac{2x}{2x+2}", "\\frac{x}{1+x}"], ["\\frac{x+1}{x}", "\\frac{1}{x+1}", "x"]),
    ("2ab", ["2ab", "2ba", "ab+ab", "2 \\cdot a \\cdot b"], ["ab", "2a+b", "a^2b"]),
    ("3n-1", ["3n-1", "-1+3n", "3(n-\\frac{1}{3})", "2n + n - 1"], ["3n+1", "3n", "n-1"]),
    ("\\frac{n(n+1)}{2}", ["\\frac{n^2+n}{2}", "\\frac{n(n+1)}{2}", "\\frac12 n(n+1)"], ["\\frac{n(n-1)}{2}", "n(n+1)"]),
    ("x_1+x_2", ["x_1+x_2", "x_2+x_1"], ["x_1-x_2", "2x_1"]),
    ("2\\theta", ["2\\theta", "\\theta+\\theta", "2 \\theta"], ["\\theta", "2\\alpha"]),
    ("6x^5", ["6x^5", "6x^{5}", "6 \\cdot x^5", "2x^2 \\cdot 3x^3"], ["5x^6", "6x^4"]),
    # names and equations
    ("5", ["x=5", "x = 5", "n = \\frac{10}{2}"], ["x=4", "x = -5"]),
    ("x=5", ["5", "x=5", "x = 5.0"], ["6", "y=5", "x=6"]),
    ("y=2x+1", ["y=2x+1", "2x+1", "y = 1+2x"], ["y=2x-1", "y=x+1", "2x"]),
    ("2x+3y=6", ["2x+3y=6", "4x+6y=12", "3y=6-2x", "6=2x+3y"], ["2x+3y=7", "3x+2y=6"]),
    # sets, tuples, intervals
    ("\\{1,2\\}", ["\\{1,2\\}", "\\{2,1\\}", "1,2", "2, 1", "\\left\\{1,2\\right\\}"], ["\\{1,3\\}", "\\{1\\}", "\\{1,2,3\\}", "1"]),
    ("1,2,3", ["1,2,3", "3,2,1", "\\{1,2,3\\}", "1, 3, 2"], ["1,2", "1,2,4", "123"]),
    ("\\{-\\frac12, 3\\}", ["3, -\\frac{1}{2}", "\\{3,-0.5\\}", "-1/2, 3"], ["\\frac12, 3", "3"]),
    ("(1,2)", ["(1,2)", "(1, 2)", "\\left(1,2\\right)", "(\\frac{2}{2}, 2)"], ["(2,1)", "(1,3)", "(1,2,3)", "1"]),
    ("(3,-\\frac{1}{2},\\pi)", ["(3,-0.5,\\pi)", "(3, -\\frac{1}{2}, \\pi)"], ["(3,-0.5)", "(-0.5,3,\\pi)"]),
    ("[0,1)", ["[0,1)", "[0, 1)", "\\left[0,1\\right)"], ["(0,1)", "[0,1]", "[0,2)"]),
    ("(-\\infty,3]", ["(-\\infty,3]", "(-\\infty, 3]", "x \\le 3", "x \\leq 3"], ["(-\\infty,3)", "x<3", "[3,\\infty)"]),
    ("(2,\\infty)", ["(2,\\infty)", "x>2", "(2, \\infty)", "2<x"], ["[2,\\infty)", "x>3", "x<2"]),
    ("x>3", ["x>3", "(3,\\infty)", "3<x"], ["x<3", "x \\ge 3", "x>4"]),
    ("(-\\infty,2)\\cup(3,\\infty)", ["(-\\infty,2)\\cup(3,\\infty)", "(3,\\infty)\\cup(-\\infty,2)"],
     ["(2,3)", "(-\\infty,2]\\cup(3,\\infty)", "(3,\\infty)"]),
    ("1\\pm\\sqrt{2}", ["1\\pm\\sqrt{2}", "1+\\sqrt{2}, 1-\\sqrt{2}", "\\{1-\\sqrt{2}, 1+\\sqrt{2}\\}"], ["1+\\sqrt{2}", "1\\pm\\sqrt{3}"]),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ \\frac{4}{2} \\end{pmatrix}"],
     ["\\begin{pmatrix}2\\\\1\\end{pmatrix}", "\\begin{pmatrix}1\\\\3\\end{pmatrix}"]),
    ("\\begin{pmatrix}1&0\\\\0&1\\end{pmatrix}", ["\\begin{pmatrix}1&0\\\\0&1\\end{pmatrix}"], ["\\begin{pmatrix}0&1\\\\1&0\\end{pmatrix}"]),
    ("\\emptyset", ["\\emptyset", "\\varnothing"], ["0", "\\{0\\}"]),
    # words and choices
    ("\\text{even}", ["\\text{even}", "\\text{Even}"], ["\\text{odd}"]),
    ("B", ["B", "\\text{B}", "(B)", "\\text{(B)}"], ["A", "C"]),
]

# whole responses, as they are said
SAID = [
    ("42", "The answer is 42."), ("42", "Answer: 42"), ("42", "6 * 7 = 42"), ("42", "#### 42"),
    ("42", "Let me see. 6 * 7 = 42\n#### 42"), ("42", "The answer is 24."), ("42", "So it must be 42 apples."),
    ("42", "**Answer:** 42"), ("42", "The final answer is $42$. I hope it is correct."), ("42", "It is $\\boxed{42}$."),
    ("42", "First I thought \\boxed{24}.\nNo: \\boxed{42}"), ("42", "I do not know."), ("42", ""),
    ("42", "= 42"), ("42", "\\[ x = 42 \\]"), ("42", "The answer is: 42 dollars"), ("42", "we have 40 + 2"),
    ("1234", "That makes 1,234 in all."), ("1234", "The answer is 1,234 dollars."), ("-103", "15 - 43 = -28; -28 - 75 = -103"),
    ("-103", "15 - 43 = -28; -28 - 75 = 103"), ("-103", "The answer is -103"), ("-103", "-103"), ("-103", "103"),
    ("3.5", "The answer is 3.5."), ("3.5", "So we get 7/2"), ("3.5", "$\\frac{7}{2}$"), ("3.5", "The answer is $3\\frac{1}{2}$"),
    ("\\frac{1}{2}", "The probability is $\\frac{1}{2}$."), ("\\frac{1}{2}", "The probability is 1/2."),
    ("\\frac{1}{2}", "The probability is 50%."), ("\\frac{1}{2}", "The probability is 0.4."),
    ("5", "The answer is x = 5"), ("5", "Therefore $x = 5$."), ("5", "Therefore x = 6."),
    ("72", "Natalia sold 48/2 = 24 clips in May.\nAltogether 48+24 = 72 clips.\n#### 72"),
    ("72", "Natalia sold 48/2 = 24 clips in May.\nAltogether 48+24 = 72 clips.\n#### 71"),
    ("72", "Natalia sold 48/2 = 24 clips in May.\nAltogether 48+24 = 72 clips."),
    ("\\{1,2\\}", "The answer is $\\{1, 2\\}$."), ("(1,2)", "The answer is $(1, 2)$."), ("(1,2)", "The answer is $(2, 1)$."),
    ("x^2+1", "So $f = x^2 + 1$."), ("\\pi", "The area is $\\pi$."), ("90", "The angle is 90°."), ("90", "The angle is $90^\\circ$."),
]


def generated(count, seed):
    """Fractions, decimals and polynomials by chance: an answer, the same in other words, and one beside it."""
    rng = random.Random(seed)
    for _ in range(count):
        a, b, k = rng.randint(-60, 60), rng.randint(2, 40), rng.randint(2, 9)
        yield f"\\frac{{{a}}}{{{b}}}", f"\\frac{{{a * k}}}{{{b * k}}}"
        yield f"\\frac{{{a}}}{{{b}}}", f"\\frac{{{a * k + 1}}}{{{b * k}}}"
        number = Fraction(rng.randint(-9999, 9999), 100)
        yield f"{float(number)}", f"\\frac{{{number.numerator}}}{{{number.denominator}}}"
        yield f"{float(number)}", f"{float(number + Fraction(1, 100))}"
        p, q = rng.randint(-9, 9), rng.randint(-9, 9)
        expanded = f"x^2+({p + q})x+({p * q})"
        yield expanded, f"(x+({p}))(x+({q}))"
        yield expanded, f"(x+({p}))(x+({q + 1}))"


def verdict(answer, response):
    gold = parse(f"${answer}$", parsing_timeout=None)
    said = parse(response, parsing_timeout=None)
    return bool(verify(gold, said, timeout_seconds=None))


def main():
    installed = importlib.metadata.version("math-verify")
    if installed != PINNED:
        sys.exit(f"this is for math-verify {PINNED}, and {installed} is installed")
    logging.disable(logging.CRITICAL)
    pairs = [(answer, f"\\boxed{{{said}}}") for answer, right, wrong in PAIRS for said in right + wrong]
    pairs += SAID
    pairs += [(answer, f"\\boxed{{{said}}}") for answer, said in generated(12, 7)]
    for answer, response in dict.fromkeys(pairs):
        row = {"answer": answer, "response": response, "verdict": verdict(answer, response)}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
