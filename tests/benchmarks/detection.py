"""What detection costs over open classes: values a CPU-second, from the column to the answer.

Values are made here: tokens, identifiers, addresses of pages, numbers as text, and among them personal data of the
types that are met most, about one in ten. Mean length and share of hits are printed with the figure.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np
import polars as pl

from headway_pipelines.privacy.detection.columns import SIEVES, suspects

SEED = 6
WORDS = (
    "spring",
    "sale",
    "checkout",
    "pro",
    "hero",
    "banner",
    "blue",
    "widget",
    "dark",
    "mode",
    "home",
    "feed",
    "video",
    "lesson",
    "cart",
    "search",
    "invite",
    "team",
    "export",
    "report",
)


def column(size: int) -> pl.Series:
    """Makes a mixed column."""
    rng = np.random.default_rng(SEED)
    n = pl.Series(rng.integers(0, 10**6, size))
    m = pl.Series(rng.integers(0, 10**6, size))
    words = pl.Series(WORDS)
    one, two = (
        words.gather(rng.integers(0, len(WORDS), size)),
        words.gather(rng.integers(0, len(WORDS), size)),
    )
    frame = pl.DataFrame(
        {"n": n, "m": m, "one": one, "two": two, "kind": pl.Series(rng.integers(0, 1000, size))}
    )
    kind, text = pl.col("kind"), pl.format
    hexa = pl.col("n").hash(1).map_elements(lambda v: f"{v:016x}", return_dtype=pl.String)
    small = (pl.col("n") % 254 + 1).cast(pl.String)
    digits6 = pl.col("m").cast(pl.String).str.pad_start(6, "0")
    forms = [
        (300, text("{}_{}", "one", "two")),
        (400, text("{}-{}-variant-{}", "one", "n", pl.col("m") % 9)),
        (
            470,
            text(
                "{}-{}-4{}-a{}-{}",
                hexa.str.slice(0, 8),
                hexa.str.slice(8, 4),
                hexa.str.slice(0, 3),
                hexa.str.slice(3, 3),
                hexa.str.slice(4, 12),
            ),
        ),
        (530, hexa),
        (600, text("https://www.example.com/en-gb/{}/{}", "one", "two")),
        (640, text("https://www.example.com/{}?utm_source={}&page={}", "one", "two", pl.col("n") % 50)),
        (680, text("/{}/{}/{}-overview", "one", "n", "two")),
        (720, text("v{}.{}.{}", pl.col("n") % 9, pl.col("m") % 20, pl.col("n") % 7)),
        (770, pl.col("n").cast(pl.String)),
        (790, text("17{}{}", digits6, small.str.pad_start(5, "1"))),
        (840, text("{}.{}", pl.col("n") % 900, (pl.col("m") % 90 + 10))),
        (900, pl.col("one").cast(pl.String)),
        (940, text("{}.{}@example.com", "one", "n")),
        (955, text("203.0.{}.{}", pl.col("m") % 255, small)),
        (970, text("+1 202 555 01{}", pl.col("n") % 90 + 10)),
        (976, pl.lit("4111 11") + luhn(pl.col("n") % 90 + 10, pl.col("m") % 900 + 100)),
        (984, text("987-65-43{}", pl.col("n") % 90 + 10)),
        (990, text("00:1b:44:{}:3a:{}", pl.col("n") % 90 + 10, pl.col("m") % 90 + 10)),
        (995, text("2001:db8::{}:{}", pl.col("n") % 9000, pl.col("m") % 9000)),
        (1000, text("https://example.com/?email={}%40example.com", "one")),
    ]
    chosen = pl.lit("")
    for limit, form in reversed(forms):
        chosen = pl.when(kind < limit).then(form).otherwise(chosen)
    return frame.select(chosen.alias("v"))["v"]


def luhn(two: pl.Expr, three: pl.Expr) -> pl.Expr:
    """The rest of 4111 11ab cde1 111f, with the check digit f."""
    digits = [two // 10, two % 10, three // 100, three // 10 % 10, three % 10]
    doubled = [digits[at] * 2 - 9 * (digits[at] > 4).cast(pl.Int64) for at in (0, 2, 4)]
    total = sum(doubled, start=digits[1] + digits[3]) + 21
    return pl.format("{} {}1 111{}", two, three, (-total) % 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=4_000_000)
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    values = column(args.values)
    suspects(values.head(1000))
    print(
        f"{platform.machine()}, {pl.thread_pool_size()} threads, {args.values:,} values, "
        f"mean {values.str.len_chars().sum() / len(values):.1f} characters, {values.n_unique():,} distinct"
    )
    for _ in range(args.times):
        start = time.process_time()
        passed = pl.Series([False]).new_from_index(0, len(values))
        for each in SIEVES:
            passed |= values.str.contains(each)
        sieved = int(passed.sum())
        sieve = time.process_time() - start
        start = time.process_time()
        found = suspects(values)
        spent = time.process_time() - start
        print(
            f"sieve alone {args.values / sieve / 1e6:.2f} M values/CPU-s ({sieved / args.values:.1%} pass); end to end "
            f"{args.values / spent / 1e6:.2f} M values/CPU-s, {found.mask.sum() / len(values):.1%} hits {found.types}"
        )


if __name__ == "__main__":
    main()
