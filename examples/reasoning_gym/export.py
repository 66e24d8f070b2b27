"""Exports tasks of reasoning-gym as rows that a run file can name as `data`.

    pip install reasoning-gym==0.1.25
    python export.py train.jsonl --task chain_sum min_terms=2 max_terms=3 min_digits=2 max_digits=2 \
        --size 2000 --seed 0
    python export.py test.jsonl --task chain_sum min_terms=2 max_terms=3 min_digits=2 max_digits=2 \
        --size 300 --seed 1000000 --apart-from train.jsonl

A row has `prompt` (the question as the package words it, or as a chat with --chat), `answer`, `domain` (the
task's name), `level` (where the task counts something that makes it harder), and `hints`: the steps worked, where
they can be. With --hints inner the last step is left out, so that the hints do not say the answer; a row without a
step before the last has none then.

The package makes item i from the number seed + i. Two files of one task are apart only if their seeds are farther
apart than their sizes, and even then a small task repeats itself; --apart-from leaves out what another file asks.
Of questions that come twice in one file the first is kept.
"""

import argparse
import ast
import importlib.metadata
import json
import operator
import sys
from fractions import Fraction
from math import gcd

import reasoning_gym
from reasoning_gym.arithmetic.leg_counting import ANIMALS

PINNED = "0.1.25"
OPERATORS = {ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
             ast.Div: ("/", operator.truediv)}
# what makes a task harder, by its name in the item's metadata
LEVELS = ("num_terms", "num_animals")


def shown(number):
    """An exact number as people write it: 12, 0.25, and 2/3 where no decimal is exact."""
    number = Fraction(number)
    places = next((n for n in range(30) if (number * 10**n).denominator == 1), None)
    if not places:
        return str(number)
    digits = str(abs(int(number * 10**places))).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def of_expression(text, whole=False):
    """Every operation of an expression in the order Python works it, with exact numbers. `whole`: a quotient that
    is no whole number is rounded down, as basic_arithmetic does."""
    steps = []

    def work(node):
        if isinstance(node, ast.Constant):
            return Fraction(str(node.value))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = work(node.operand)
            if not isinstance(node.operand, ast.Constant):
                steps.append(f"-({shown(operand)}) = {shown(-operand)}")
            return -operand
        if not (isinstance(node, ast.BinOp) and type(node.op) in OPERATORS):
            raise ValueError(f"{text!r} is not plain arithmetic")
        left, right = work(node.left), work(node.right)
        sign, apply = OPERATORS[type(node.op)]
        result = apply(left, right)
        if whole and result.denominator != 1:
            sign, result = "//", Fraction(left // right)
        beside = f"({shown(right)})" if right < 0 else shown(right)
        steps.append(f"{shown(left)} {sign} {beside} = {shown(result)}")
        return result

    work(ast.parse(text, mode="eval").body)
    return steps


def of_product(text):
    """A product of whole numbers by the digits of the second factor, as it is worked on paper."""
    left, *factors = map(int, text.split(" * "))
    steps = []
    for factor in factors:
        sign = -1 if factor < 0 else 1
        digits = [sign * int(digit) * 10**place for place, digit in enumerate(reversed(str(abs(factor))))]
        parts = [part for part in reversed(digits) if part]
        if len(parts) > 1:
            steps += [step for part in parts for step in of_expression(f"{left} * {part}")]
            steps += of_expression(" + ".join(str(left * part) for part in parts))
        steps += of_expression(f"{left} * {factor}")
        left *= factor
    return steps


def of_legs(metadata):
    """Legs by animal, then their sum, one animal after the other."""
    legs = {animal: count * ANIMALS[animal] for animal, count in metadata["animals"].items()}
    each = [f"{count} {animal}: {count} * {ANIMALS[animal]} = {legs[animal]}"
            for animal, count in metadata["animals"].items()]
    return each + of_expression(" + ".join(map(str, legs.values())))


def of_gcd(numbers):
    """Euclid's algorithm."""
    steps, so_far = [], numbers[0]
    for other in numbers[1:]:
        a, b = max(so_far, other), min(so_far, other)
        while b:
            steps.append(f"{a} mod {b} = {a % b}")
            a, b = b, a % b
        so_far = a
    return steps + [f"gcd = {so_far}"]


def of_lcm(numbers):
    """Two at a time: the product over the greatest common divisor."""
    steps, so_far = [], numbers[0]
    for other in numbers[1:]:
        common = gcd(so_far, other)
        result = so_far * other // common
        steps += [f"gcd({so_far}, {other}) = {common}", f"{so_far} * {other} / {common} = {result}"]
        so_far = result
    return steps


def of_text(text):
    """The lines of a solution that somebody wrote, without the line that only names the answer."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("####")]


def steps_of(task, metadata):
    """The steps of an item, worked; none where this script does not know how."""
    try:
        if task in ("chain_sum", "decimal_chain_sum"):
            return of_expression(metadata["expression"])
        if task == "basic_arithmetic":
            return of_expression(metadata["expression"], whole=True)
        if task == "products":
            return of_product(metadata["expression"])
        if task == "leg_counting":
            return of_legs(metadata)
        if task == "gcd":
            return of_gcd(metadata["numbers"])
        if task == "lcm":
            return of_lcm(metadata["numbers"])
        if task == "gsm_symbolic":
            return of_text(metadata["answer_cot"])
        if task == "fraction_simplification":
            a, b, by = metadata["numerator"], metadata["denominator"], metadata["reduction_factor"]
            return [f"gcd({a}, {b}) = {by}", f"{a} / {by} = {a // by}", f"{b} / {by} = {b // by}"]
    except (ValueError, ZeroDivisionError):
        pass
    return []


def value(text):
    """A setting as Python reads it; a bare word is a string."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def rows(task, settings, size, seed, hints="all", chat=False):
    """Rows of one task, one after the other."""
    dataset = reasoning_gym.create_dataset(task, size=size, seed=seed, **settings)
    for item in dataset:
        metadata, question = item["metadata"], item["question"]
        row = {
            "prompt": [{"role": "user", "content": question}] if chat else question,
            "answer": str(item["answer"]),
            "domain": task,
        }
        level = next((metadata[name] for name in LEVELS if name in metadata), None)
        if level is not None:
            row["level"] = level
        steps = [] if hints == "none" else steps_of(task, metadata)
        steps = steps[:-1] if hints == "inner" else steps
        if steps:
            row["hints"] = "; ".join(steps)
        yield row


def asked_in(path):
    with open(path, encoding="utf-8") as lines:
        return {json.dumps(json.loads(line)["prompt"]) for line in lines if line.strip()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", help="the file to write")
    parser.add_argument("--task", nargs="+", action="append", required=True, metavar=("TASK", "SETTING=VALUE"),
                        help="a task of reasoning-gym and its settings; may be given several times")
    parser.add_argument("--size", type=int, default=500, help="rows of each task (500)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first item (0)")
    parser.add_argument("--hints", choices=("all", "inner", "none"), default="all", help="which steps are shown (all)")
    parser.add_argument("--chat", action="store_true", help="prompts as a list of messages")
    parser.add_argument("--apart-from", action="append", default=[], metavar="FILE", help="rows not to ask again")
    args = parser.parse_args()
    installed = importlib.metadata.version("reasoning-gym")
    if installed != PINNED:
        sys.exit(f"this is for reasoning-gym {PINNED}, and {installed} is installed: items would differ")
    seen = set().union(*map(asked_in, args.apart_from)) if args.apart_from else set()
    written = 0
    with open(args.out, "w", encoding="utf-8") as out:
        for task, *settings in args.task:
            settings = {key: value(text) for key, _, text in (word.partition("=") for word in settings)}
            found = 0
            # items that were asked before are replaced by later ones, as far as there are any
            for row in rows(task, settings, 4 * args.size, args.seed, args.hints, args.chat):
                key = json.dumps(row["prompt"])
                if found == args.size:
                    break
                if key not in seen:
                    seen.add(key)
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                    found += 1
            if found < args.size:
                print(f"{task}: {found} different rows of {args.size} asked for", file=sys.stderr)
            written += found
    print(f"{args.out}: {written} rows", file=sys.stderr)


if __name__ == "__main__":
    main()
