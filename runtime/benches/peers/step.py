"""`limbeck bench step` in TRL: its `DistillationTrainer`, the model taught by itself, reverse KL, f32.

step.py MODEL_DIR ROWS NEW STEPS; needs torch, transformers, datasets and trl. THREADS in the environment.
"""
import contextlib
import os
import sys
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import trl
from datasets import Dataset
from transformers import TrainerCallback

from said import say


class Marks(TrainerCallback):
    """When each step ended."""

    def __init__(self):
        self.at = []

    def on_step_end(self, *_, **__):
        self.at.append(time.perf_counter())


def main():
    folder, (rows, new, steps) = sys.argv[1], map(int, sys.argv[2:5])
    threads = int(os.environ.get("THREADS", "2"))
    torch.set_num_threads(threads)
    asked = [f"What is {a} + {a + 3}? Think step by step." for a in range(2, 2 + rows * steps)]
    data = Dataset.from_dict({"prompt": [[{"role": "user", "content": text}] for text in asked]})
    marks = Marks()
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(sys.stderr):
        settings = trl.DistillationConfig(
            output_dir=out,
            use_cpu=True,
            bf16=False,
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=1,
            max_steps=steps,
            max_completion_length=new,
            learning_rate=1e-5,
            beta=1.0,
            temperature=1.0,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            model_init_kwargs={"dtype": "float32"},
            teacher_model_init_kwargs={"dtype": "float32"},
        )
        trainer = trl.DistillationTrainer(model=folder, teacher_model=folder, args=settings, train_dataset=data)
        trainer.add_callback(marks)
        trainer.train()
    times = [after - before for before, after in zip(marks.at, marks.at[1:])]
    facts = {"threads": threads, "rows": rows, "new": new, "steps": steps, "trl": trl.__version__}
    say("step", facts, {"step": ("s", times)})


main()
