"""Asks reasoning-gym to score answers to its own tasks, right and wrong ones, and writes them down.

    pip install reasoning-gym==0.1.25
    python record_gym.py > reasoning_gym.jsonl

One line an answer: {"task": …, "answer": …, "response": …, "score": 1.0}. The response is the answer that was scored,
bare or at the end of a sentence. tests/verifiers.rs compares the scores with what `Math` says of the responses.
"""

import importlib.metadata
import json
import sys
from fractions import Fraction

import reasoning_gym

PINNED = "0.1.25"
TASKS = ["chain_sum", "basic_arithmetic", "products", "decimal_chain_sum", "leg_counting", "gsm_symbolic", "gcd", "lcm",
         "fraction_simplification", "simple_equations", "simple_geometry", "count_bits", "complex_arithmetic"]
FRAMES = ["{}", "The answer is {}.", "So it is\n#### {}", "I find \\boxed{{{}}}"]


def answers(answer):
    """The answer, its spellings, and answers beside it."""
    yield answer
    try:
        number = Fraction(answer.replace(",", ""))
    except ValueError:
        # a fraction in dollars, a complex number: another digit is another answer
        digit = next(c for c in answer if c.isdigit())
        yield answer.replace(digit, str((int(digit) + 1) % 10), 1)
        return
    if number.denominator == 1:
        yield str(number + 1)
        yield str(-number if number else 7)
        yield f"{int(number)}.0"
        yield f"{int(number)}5"
    else:
        yield str(float(number) + 1)
        yield str(-float(number))


def main():
    installed = importlib.metadata.version("reasoning-gym")
    if installed != PINNED:
        sys.exit(f"this is for reasoning-gym {PINNED}, and {installed} is installed")
    for task in TASKS:
        dataset = reasoning_gym.create_dataset(task, size=5, seed=11)
        for place, item in enumerate(dataset):
            for said in answers(item["answer"]):
                row = {
                    "task": task,
                    "answer": item["answer"],
                    "response": FRAMES[place % len(FRAMES)].format(said),
                    "score": dataset.score_answer(said, item),
                }
                print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
