"""Makes rows of easy-vqa (MIT), 64 x 64 images of one shape and questions about it, for runs on data from elsewhere.

    python -m pip download --no-deps easy-vqa==1.0 -d data/easy_vqa     # 3.2 MB, the images are inside
    python scripts/easy_vqa.py data/easy_vqa/easy_vqa-1.0*              # writes data/easy_vqa/{train,test}.jsonl

A row's prompt is `<image>` and the question; 74 of 100 answers are yes or no, so `--keep-yes-no 0.2` keeps a fifth of
these. The student needs a tokenizer of words: SmolLM2's, say, behind eyes (`limbeck graft`).
"""

import argparse
import json
import pathlib
import tarfile
import zipfile
import zlib


def members(archive):
    """Names and bytes of what a wheel or a source archive holds."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as files:
            yield from ((name, files.read(name)) for name in files.namelist())
    else:
        with tarfile.open(archive) as files:
            for member in files.getmembers():
                if member.isfile():
                    yield member.name, files.extractfile(member).read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("--keep-yes-no", type=float, default=1.0)
    asked = parser.parse_args()
    out, questions = asked.archive.parent, {}
    for name, content in members(asked.archive):
        parts = pathlib.PurePosixPath(name).parts
        if "data" not in parts:
            continue
        inner = parts[parts.index("data") + 1 :]
        if len(inner) == 3 and inner[1] == "images" and inner[2].endswith(".png"):
            path = out / inner[0] / inner[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif len(inner) == 2 and inner[1] == "questions.json":
            questions[inner[0]] = json.loads(content)
    for split, rows in questions.items():
        kept = 0
        with open(out / f"{split}.jsonl", "w") as file:
            for question, answer, image in rows:
                # the same rows every time, whatever their order
                share = zlib.crc32(f"{image} {question}".encode()) / 2**32
                if answer in ("yes", "no") and share >= asked.keep_yes_no:
                    continue
                row = {
                    "prompt": f"<image>Question: {question}\nAnswer:",
                    "images": f"{split}/{image}.png",
                    "answer": answer,
                    "reference": f" {answer}",
                    "domain": "shapes",
                }
                file.write(json.dumps(row) + "\n")
                kept += 1
        print(f"{out / split}.jsonl: {kept} rows")


if __name__ == "__main__":
    main()
