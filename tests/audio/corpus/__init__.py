"""The audio corpus: some 550 files, made on demand by ffmpeg, sox, lame, espeak-ng and small scripts."""
from . import aiff, amr, damage, hidden, matroska, mp4, mpeg, other, pcm, recorders, unknown, wav, xiph


def all_cases():
    """By name, in a fixed order."""
    cases = {}
    for part in (wav, aiff, pcm, mpeg, xiph, mp4, matroska, amr, recorders, other, unknown, damage, hidden):
        for case in part.cases():
            assert case.name not in cases, f"{case.name} is made twice"
            cases[case.name] = case
    return cases
