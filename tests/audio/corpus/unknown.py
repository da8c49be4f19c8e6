"""Audio in formats that have no meter: it must be refused, never measured as nothing or by accident.

Some of them hold frames of MP3 or AAC among other things, where a search for frames would find a few.
"""
from .recipe import Case, ffmpeg, music, speech, with_video


def cases():
    for name, arguments in [("speech.caf", "-c:a pcm_s16be"), ("speech.au", "-c:a pcm_s16be"),
                            ("speech.w64", "-c:a pcm_s16le"), ("speech.wma", "-c:a wmav2"),
                            ("speech.ac3", "-c:a ac3"), ("speech.tta", "-c:a tta"),
                            ("mp3-in.ts", "-c:a libmp3lame -f mpegts"), ("aac-in.ts", "-c:a aac -f mpegts"),
                            ("mp3-in.flv", "-c:a libmp3lame -ar 44100"),
                            ("ac3-in.mpg", "-c:a ac3 -f mpeg"), ("aac-in.latm", "-c:a aac -f latm")]:
        yield Case(f"unknown/{name}", ffmpeg(speech(1.5, 48000), arguments))
    yield Case("unknown/mp3-in.avi",
               ffmpeg(with_video(music(1.5)), "-map 0:a -map 1:v -c:a libmp3lame -c:v mjpeg"))
