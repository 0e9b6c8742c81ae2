#!/usr/bin/env python3
"""Writes the texts that a voice is trained on: sentences as they are, and short, repeated, listed and long ones made from them.

    make_texts.py SENTENCES.txt OUT.txt [--count 30000] [--seed 0] [--hard]

SENTENCES.txt holds a sentence a line. Of 100 lines about 64 are sentences, 20 of one to three words (half of them out of all
words alike, so that rare ones come too), 2 a repeated word, 6 lists, numbers, dates, sums or addresses and 8 long joins of
neighbours. With --hard the shares are 54, 26, 3, 6 and 7, and 4 are tongue twisters. Deterministic for a seed.
"""
import argparse
import random
import re

PUNCTUATION = [".", ".", ".", "?", "!", "", ""]
CONJUNCTIONS = [", and ", ", but ", "; ", ", ", ", so ", ", while "]
NUMBERS = ["{}", "number {}", "{} percent", "{} dollars", "{} people", "chapter {}", "in {}", "{} miles", "${}", "{}%", "page {}"]
LINKS = "the a of in and for to with".split()
MONTHS = "January February March April May June July August September October November December".split()


def words(sentence):
    return re.findall(r"[A-Za-z][A-Za-z']+", sentence)


def short(rng, sentences, vocabulary):
    """One to three words."""
    found = [rng.choice(vocabulary)] if rng.random() < 0.5 else words(rng.choice(sentences))
    if not found:
        return "Yes."
    n = rng.choices([1, 2, 3], [3, 2, 1])[0]
    at = rng.randrange(max(1, len(found) - n + 1))
    text = " ".join(found[at: at + n])
    return rng.choice([text, text.capitalize()]) + rng.choice(PUNCTUATION)


def repeated(rng, sentences):
    """A word up to ten times."""
    word = rng.choice(words(rng.choice(sentences)) or ["no"]).lower()
    return rng.choice([" ", ", "]).join([word] * rng.randint(2, 10)) + rng.choice(PUNCTUATION)


def listed(rng, sentences):
    """Letters, numbers, dates, times, addresses, or words with commas."""
    kind = rng.randrange(6)
    if kind == 0:
        return " ".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(1, 5))) + rng.choice(PUNCTUATION)
    if kind == 1:
        number = rng.choice([rng.randint(0, 20), rng.randint(0, 100), rng.randint(0, 9999), rng.randint(0, 10**6)])
        return rng.choice(NUMBERS).format(number) + rng.choice(PUNCTUATION)
    if kind == 2:
        return f"{rng.choice(MONTHS)} {rng.randint(1, 28)}, {rng.randint(1500, 2100)}" + rng.choice(PUNCTUATION)
    if kind == 3:
        return f"{rng.randint(1, 12)}:{rng.randint(0, 59):02}" + rng.choice([" am.", " pm.", "."])
    if kind == 4:
        name = words(rng.choice(sentences))[-1:] or ["example"]
        return f"{name[0].lower()}.{rng.choice(['com', 'org', 'net'])}" + rng.choice(PUNCTUATION)
    found = [w for _ in range(rng.randint(2, 6)) for w in words(rng.choice(sentences))[-1:]]
    return ", ".join(found) + "." if found else "One, two, three."


def long(rng, sentences):
    """Two to five neighbours joined into one sentence."""
    at, n = rng.randrange(len(sentences) - 5), rng.choices([2, 3, 4, 5], [4, 3, 2, 1])[0]
    parts = [re.sub(r"[.!?\"“”‘’]+", "", s).strip() for s in sentences[at: at + n]]
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice(CONJUNCTIONS) + (part if part.startswith(("I ", "I'")) else part[:1].lower() + part[1:])
    return text + rng.choice([".", ".", ".", "?", "!"])


def twister(rng, vocabulary):
    """Three to ten words, most of them from a few that are written alike: with the same start or, like rhymes, the same end."""
    word = rng.choice([w for w in rng.sample(vocabulary, 9) if len(w) > 3] or ["seashells"])
    n, start = rng.choice([1, 2, 2, 3]), rng.random() < 0.7
    alike = [w for w in vocabulary if (w[:n] == word[:n] if start else w[-3:] == word[-3:])]
    few = rng.sample(alike, min(len(alike), rng.randint(2, 6)))
    found = [rng.choice(few if rng.random() < 0.85 else LINKS) for _ in range(rng.randint(3, 10))]
    return rng.choice([" ".join(found), ", ".join(found), " ".join(found).capitalize()]) + rng.choice(PUNCTUATION)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("sentences"); p.add_argument("out")
    p.add_argument("--count", type=int, default=30000, help="lines to write"); p.add_argument("--seed", type=int, default=0)
    p.add_argument("--hard", action="store_true", help="more of what models stumble over, and tongue twisters")
    a = p.parse_args()
    rng = random.Random(a.seed)
    sentences = [line.strip() for line in open(a.sentences, encoding="utf-8") if line.strip()]
    vocabulary = sorted({word.lower() for sentence in sentences for word in words(sentence)})
    plain = iter(sentences)
    kinds = [lambda: next(plain), lambda: short(rng, sentences, vocabulary), lambda: repeated(rng, sentences),
             lambda: listed(rng, sentences), lambda: long(rng, sentences), lambda: twister(rng, vocabulary)]
    shares = [54, 26, 3, 6, 7, 4] if a.hard else [64, 20, 2, 6, 8, 0]
    with open(a.out, "w", encoding="utf-8") as f:
        for _ in range(a.count):
            f.write(rng.choices(kinds, shares)[0]() + "\n")


if __name__ == "__main__":
    main()
