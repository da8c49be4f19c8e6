"""What is asked of the contenders: a load, by whom, and who answers it."""
from dataclasses import dataclass

OPEN_LOOP_RATE = 500
EVENTS_A_STREAM = 200  # as in upstream.conf.in


@dataclass(frozen=True)
class Question:
    name: str
    label: str
    contenders: tuple
    connections: int = 64
    organizations: int = 1
    rate: int = 0     # calls sent per second, whatever happens to them; 0: a connection sends when it can
    events: int = 0   # in each answer
    accept: str = ""  # the Accept header

    @property
    def noun(self):
        return "event" if self.events else "call"


METERED = ("nginx_lua", "tollgate", "tollgate_before")


def organization_questions(counts, contenders):
    """With one organization every contender is asked; the many are for those that meter."""
    for count in counts:
        asked = contenders if count == 1 else METERED
        plural = "s" if count > 1 else ""
        yield Question(f"organizations_{count}", f"{count:,} organization{plural}, 64 connections", asked,
                       organizations=count)


def all_questions(counts, contenders):
    many = max((count for count in counts if count <= 256), default=256)
    return [
        *organization_questions(counts, contenders),
        Question("one_connection", "1 organization, 1 connection", ("upstream", *METERED), connections=1),
        Question("open_loop", f"{many:,} organizations, {OPEN_LOOP_RATE} calls/s, open loop",
                 ("upstream", *METERED), organizations=many, rate=OPEN_LOOP_RATE),
        Question("event_stream", f"event streams of {EVENTS_A_STREAM} small chunks, 64 connections",
                 ("nginx_unbuffered", "tollgate", "tollgate_before"), events=EVENTS_A_STREAM,
                 accept="text/event-stream"),
    ]
