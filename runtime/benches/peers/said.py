"""How the peers say what they measured: the JSON of `limbeck bench … --json`."""
import json
import resource
import statistics
import time


def seconds(repeats, work):
    """The seconds that `work` takes, so many times, after once that is not counted."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def say(bench, facts, series):
    """Prints one line; `series` is name -> (unit, values)."""
    told = {}
    for name, (unit, values) in series.items():
        best = max(values) if unit.endswith("/s") else min(values)
        told[name] = {"unit": unit, "median": statistics.median(values), "best": best, "values": values}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"bench": bench, **facts, "peak_memory_mb": peak, "series": told}))
