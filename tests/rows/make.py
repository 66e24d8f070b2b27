"""Writes the Parquet files of tests/rows.rs: `python tests/rows/make.py`, with pyarrow installed."""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent


def write(name, columns, **options):
    pq.write_table(pa.table(columns), HERE / name, **options)


def main():
    # questions and answers as GSM8K names them: Snappy, three row groups, a dictionary
    questions = [f"What is {a} + {a + 1}? Ünder {'word ' * (a % 4)}" for a in range(50)]
    answers = [f"{a} + {a + 1} = {2 * a + 1}\n#### {2 * a + 1}" for a in range(50)]
    source = ["sums"] * 25 + ["more"] * 25
    write(
        "questions.parquet",
        {"question": questions, "answer": answers, "source": source, "level": list(range(50))},
        compression="snappy", row_group_size=20,
    )
    # chats with what else comes in a data set's columns: gzip, lists and structs, numbers, nulls, bytes
    write(
        "chats.parquet",
        {
            "prompt": [
                [{"role": "system", "content": "Be brief.", "name": None}, {"role": "user", "content": "1 + 1?", "name": None}],
                [{"role": "user", "content": "Grüße 🙂", "name": None}],
            ],
            "answer": pa.array([2, None], pa.int64()),
            "boxes": [[[1, 2], [3, 4]], []],
            "meta": [{"score": 0.1, "tags": ["a"]}, None],
            "weight": pa.array([0.1, 2.5], pa.float32()),
            "day": [datetime.date(2024, 7, 26), None],
            "price": pa.array([decimal.Decimal("12.50"), None], pa.decimal128(9, 2)),
            "image": [b"\xff\xd8\xff", b"\x00\xfe"],
            "reward": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
        },
        compression="gzip",
    )
    write("zstd.parquet", {"prompt": ["a" * 50, "b"]}, compression="zstd")
    write("brotli.parquet", {"prompt": ["a" * 50, "b"]}, compression="brotli")
    write("numbers.parquet", {"prompt": ["a", "b"], "score": [1.5, float("nan")]})
    write("empty.parquet", {"prompt": pa.array([], pa.string())})
    write("nulls.parquet", {"prompt": ["a", None]})


main()
