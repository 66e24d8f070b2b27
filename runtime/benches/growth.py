"""`limbeck bench growth` as a page of curves: docs/growth.svg.

    python3 runtime/benches/growth.py --into docs/growth.svg

Both axes are logarithmic, and each curve is divided by its first point: what counts is the slope. The grey line is
what grows as the size does.
"""
import argparse
import json
import math
import os
import pathlib
import subprocess

TITLES = {"response": "tokens of a response", "group": "responses a prompt",
          "vocabulary": "tokens in the vocabulary", "layers": "layers"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 360, 280, 52, 40, 16, 46
COLOURS = {"time": "#1f6f8b", "memory": "#c0562b"}


def main():
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--limbeck", default="target/release/limbeck")
    said.add_argument("--threads", default="2")
    said.add_argument("--lines", help="numbers that were measured before, instead of measuring")
    said.add_argument("--keep", help="where to keep the numbers")
    said.add_argument("--into", required=True)
    args = said.parse_args()
    if args.lines:
        text = pathlib.Path(args.lines).read_text()
    else:
        env = {**os.environ, "RAYON_NUM_THREADS": args.threads}
        text = subprocess.run([args.limbeck, "bench", "growth"], env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    if args.keep:
        pathlib.Path(args.keep).write_text(text)
    pathlib.Path(args.into).write_text(page([json.loads(line) for line in text.splitlines()]))


def page(points):
    panels = []
    for at, (grows, title) in enumerate(TITLES.items()):
        mine = [p for p in points if p["grows"] == grows]
        x, y = at % 2 * WIDTH, at // 2 * HEIGHT + 30
        panels.append(f'<g transform="translate({x},{y})">{panel(title, mine)}</g>')
    width, height = 2 * WIDTH, 2 * HEIGHT + 40
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="11" fill="#333">\n<rect width="100%" height="100%" fill="#fff"/>\n')
    key = "".join(f'<text x="{LEFT + 150 * i}" y="22" fill="{colour}" font-size="13">{name}</text>'
                  for i, (name, colour) in enumerate([("time of a step", COLOURS["time"]),
                                                      ("peak memory", COLOURS["memory"]), ("in proportion", "#999")]))
    return head + key + "\n" + "\n".join(panels) + "\n</svg>\n"


def panel(title, points):
    if not points:
        return ""
    sizes = [p["size"] for p in points]
    curves = {"time": [p["series"]["step"]["median"] for p in points]}
    if points[0]["peak_memory_mb"] is not None:
        curves["memory"] = [p["peak_memory_mb"] for p in points]
    grown = {name: [v / values[0] for v in values] for name, values in curves.items()}
    top = max([sizes[-1] / sizes[0], *(v for values in grown.values() for v in values)]) * 1.1
    low = min(0.9, *(v for values in grown.values() for v in values))

    def place(size, value):
        along = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
        up = math.log(value / low) / math.log(top / low)
        return LEFT + along * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def line(values, colour, more=""):
        path = " ".join("{:.1f},{:.1f}".format(*place(*pair)) for pair in zip(sizes, values))
        return f'<polyline points="{path}" fill="none" stroke="{colour}" {more}/>'

    parts = [f'<text x="{LEFT}" y="{TOP - 12}" font-size="13">{title}</text>']
    tick = 1
    while tick <= top:
        x, y = place(sizes[0], tick)
        parts.append(f'<line x1="{x}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>'
                     f'<text x="{x - 6}" y="{y + 4:.1f}" text-anchor="end">{tick}×</text>')
        tick *= 2 if top < 40 else 4
    for size in sizes:
        x = place(size, 1)[0]
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{told(size)}</text>')
    parts.append(line([size / sizes[0] for size in sizes], "#999", 'stroke-dasharray="4 4"'))
    for name, values in grown.items():
        parts.append(line(values, COLOURS[name], 'stroke-width="2"'))
        for pair in zip(sizes, values):
            x, y = place(*pair)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[name]}"/>')
    return "".join(parts)


def told(size):
    """Large sizes in thousands, so that two of them have room beside each other."""
    return str(size) if size < 10_000 else f"{size / 1000:.0f}k"


main()
