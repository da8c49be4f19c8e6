"""Round after round: every question to every contender it is for, in turns."""
import sys
import time

from measure import load, measure
from support.process import wait_until

PRICE_MICRO = 10 * 10**6
TOLERATED_STEAL = 0.02  # of the seconds of one core
TRIES = 4


def check_books(contender):
    """A contender that meters must have charged every call; wrk leaves some unanswered at its end."""
    def books_agree():
        calls = contender.settled_micro() / PRICE_MICRO
        return contender.answered <= calls <= contender.answered + contender.left_open
    wait_until(books_agree, f"{contender.name} to have settled {contender.answered} calls", timeout=60, every=0.5)


def ask(contender, setup, question, seconds, how=measure):
    time.sleep(0.3)  # wait for the settlements of the previous run
    result = how(contender, setup, question, seconds)
    contender.answered += result["requests"]
    contender.left_open += question.connections
    return result


def measure_undisturbed(contender, setup, question, seconds):
    """A measurement during which the machine was ours, or the best of a few."""
    tries = []
    while len(tries) < TRIES:
        tries.append(ask(contender, setup, question, seconds))
        if tries[-1]["stolen"] <= TOLERATED_STEAL:
            break
        print(f"  {contender.name}: {tries[-1]['stolen']:.0%} of the time was stolen by another guest",
              file=sys.stderr, flush=True)
    return min(tries, key=lambda result: result["stolen"])


def warm_up_seconds(question):
    """Each organization has called once; each stream has ended once."""
    return 3 if question.events else 1 + question.organizations // 2000


def in_turn(members, number):
    """Another one begins each round, so that no contender always follows the same neighbour."""
    first = number % len(members)
    return members[first:] + members[:first]


def run_rounds(questions, contenders, setup, rounds, seconds):
    """results[question][contender] is a list with one measurement a round."""
    asked = {question: [each for each in contenders if each.name in question.contenders] for question in questions}
    results = {question.name: {each.name: [] for each in asked[question]} for question in questions}
    for question in questions:
        for contender in asked[question]:
            ask(contender, setup, question, warm_up_seconds(question), how=load)
    for number in range(rounds):
        for question in questions:
            for contender in in_turn(asked[question], number):
                result = measure_undisturbed(contender, setup, question, seconds)
                results[question.name][contender.name].append(result)
                print(f"  round {number + 1}/{rounds}  {question.name:18} {contender.name:16} "
                      f"{result['proxy_us'] or 0:6.1f} µs  {result['redis_us'] or 0:6.1f} µs  "
                      f"{result['rps']:7.0f}/s  {result['p50_ms']:.3f} ms", file=sys.stderr, flush=True)
    for contender in contenders:
        if contender.settled_micro:
            check_books(contender)
    return results
