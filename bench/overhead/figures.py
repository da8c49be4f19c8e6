"""The figures that a release is held to. Each is a ratio of measurements of the same round."""
from dataclasses import dataclass
from statistics import median
from typing import Callable

YARDSTICK, UPSTREAM, SUBJECT, BEFORE = "nginx_lua", "upstream", "tollgate", "tollgate_before"


@dataclass(frozen=True)
class Figure:
    label: str
    bar: float
    aim: float
    ratios: Callable  # of (results, subject): one per round; KeyError if something was not measured
    at_least: bool = False  # more is better

    def is_met(self, value, limit):
        return value >= limit if self.at_least else value <= limit


def against(question, field, other):
    """The subject's figure by another contender's, to the same question."""
    def ratios(results, subject):
        answers = results[question]
        return [a[field] / b[field] for a, b in zip(answers[subject], answers[other], strict=True)]
    return ratios


def between(question, base, field):
    """The subject's figure by its own, to another question."""
    def ratios(results, subject):
        return [a[field] / b[field]
                for a, b in zip(results[question][subject], results[base][subject], strict=True)]
    return ratios


def added(question, field, other):
    """What the subject adds to the bare upstream's, by what another adds."""
    def ratios(results, subject):
        answers = results[question]
        return [(a[field] - bare[field]) / (b[field] - bare[field])
                for a, b, bare in zip(answers[subject], answers[other], answers[UPSTREAM], strict=True)]
    return ratios


ONE, MANY, THOUSANDS = "organizations_1", "organizations_256", "organizations_4096"

FIGURES = [
    Figure("one organization, 64 connections: proxy CPU per call / plain nginx", 1.5, 1.3,
           against(ONE, "proxy_us", "nginx")),
    Figure("the same: Redis CPU per call / nginx+Lua's", 0.35, 0.25, against(ONE, "redis_us", YARDSTICK)),
    Figure("the same: throughput / nginx+Lua", 1.7, 2.3, against(ONE, "rps", YARDSTICK), at_least=True),
    Figure("256 organizations, 64 connections: Redis CPU per call / nginx+Lua's", 0.9, 0.5,
           against(MANY, "redis_us", YARDSTICK)),
    Figure("the same: throughput / nginx+Lua", 1.2, 1.8, against(MANY, "rps", YARDSTICK), at_least=True),
    Figure("one connection: Redis CPU per call / nginx+Lua's", 1.0, 0.7,
           against("one_connection", "redis_us", YARDSTICK)),
    Figure("one connection: added p50 / nginx+Lua's added p50", 1.0, 0.7,
           added("one_connection", "p50_ms", YARDSTICK)),
    Figure("256 organizations against one: proxy CPU per call", 1.3, 1.1, between(MANY, ONE, "proxy_us")),
    Figure("4,096 organizations against 256: Redis CPU per call", 1.1, 1.0, between(THOUSANDS, MANY, "redis_us")),
    Figure("4,096 organizations against 256: proxy CPU per call", 1.1, 1.0, between(THOUSANDS, MANY, "proxy_us")),
    Figure("event stream of small chunks: chunks/s / unbuffered nginx", 0.95, 1.1,
           against("event_stream", "rps", "nginx_unbuffered"), at_least=True),
]


def measured(figure, results, subject):
    """The ratios of all rounds, or None where a contender or a question was left out."""
    try:
        return figure.ratios(results, subject)
    except KeyError:
        return None


def spread(ratios):
    """The median, and between which two values half of the rounds lie."""
    ordered = sorted(ratios)
    quarter = len(ordered) // 4
    return f"{median(ratios):.2f} ({ordered[quarter]:.2f}–{ordered[-1 - quarter]:.2f})"


def verdict(figure, value):
    if figure.is_met(value, figure.aim):
        return "aim met"
    return "met" if figure.is_met(value, figure.bar) else "NOT MET"


def table(results, with_before):
    head = ["figure", *(["before"] if with_before else []), "value", "bar", "aim", ""]
    lines = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 2)}---|"]
    for figure in FIGURES:
        now = measured(figure, results, SUBJECT)
        if now is None:
            continue
        sign = "≥" if figure.at_least else "≤"
        before = measured(figure, results, BEFORE) if with_before else None
        cells = [figure.label, *([spread(before) if before else "–"] if with_before else []), spread(now),
                 f"{sign} {figure.bar}", f"{figure.aim}", verdict(figure, median(now))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def as_json(results):
    return [{"figure": figure.label, "bar": figure.bar, "aim": figure.aim, "at_least": figure.at_least,
             **{subject: measured(figure, results, subject) for subject in (SUBJECT, BEFORE)}}
            for figure in FIGURES]
