"""The sample upstream's audio: what other tests are charged for must be audio, of the intended length. FFmpeg decides,
in its strictest mode; without FFmpeg, that test is skipped."""
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import unittest

from support.http import RawConnection, call
from support.upstream import SampleUpstream

SAMPLE_RATE = 24_000
# format: (Content-Type, FFmpeg's options, samples per frame if only whole frames exist)
FORMATS = {
    "mp3": ("audio/mpeg", ["-f", "mp3"], 576),
    "opus": ("audio/opus", ["-f", "ogg"], 1),
    "aac": ("audio/aac", ["-f", "aac"], 1024),
    "flac": ("audio/flac", ["-f", "flac"], 1),
    "wav": ("audio/wav", ["-f", "wav"], 1),
    "pcm": ("audio/pcm", ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1"], 1),
}
# FFmpeg's messages about streams that do not declare their length: a live encoder's WAV claims 4 GiB, so its end looks
# like a broken transfer.
HARMLESS = {
    "mp3": ["Estimating duration"],
    "aac": ["Estimating duration"],
    "wav": ["Ignoring maximum wav data size", "Guessed Channel Layout", "Packet corrupt",
            "corrupt input packet"],
    "pcm": ["Estimating duration", "Guessed Channel Layout"],
}
SECONDS = [0.5, 1, 2.345, 7.25, 60, 200.0001]


def decode(name, audio):
    """The number of decoded samples at 24 kHz. Any complaint of the decoder is a failure."""
    strict = ["-v", "warning", "-err_detect", "crccheck+bitstream+buffer+explode"]
    done = subprocess.run(["ffmpeg", *strict, *FORMATS[name][1], "-i", "pipe:0", "-f", "s16le",
                           "-ar", str(SAMPLE_RATE), "pipe:1"], input=audio, capture_output=True)
    complaints = [line for line in done.stderr.decode().splitlines()
                  if not any(harmless in line for harmless in HARMLESS.get(name, []))]
    if done.returncode != 0 or complaints:
        raise AssertionError(f"ffmpeg says {done.returncode}: {complaints}")
    return len(done.stdout) // 2


FORM = 'multipart/form-data; boundary="Cut-here"'


def form(**parts):
    """Its parts in this order. The one called `file` is a file."""
    body = b""
    for name, content in parts.items():
        file = '; filename="name=a.wav"' if name == "file" else ""
        body += (f'\r\n--Cut-here\r\nContent-Disposition: form-data; name="{name}"{file}'
                 "\r\n\r\n").encode() + content
    return body + b"\r\n--Cut-here--"


class SampleAudioTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.mkdtemp(prefix="tollgate-")
        cls.addClassCleanup(shutil.rmtree, place, ignore_errors=True)
        cls.upstream = SampleUpstream(place)
        cls.addClassCleanup(cls.upstream.stop)

    def speak(self, headers=None, **fields):
        body = {"model": "tts-1", "voice": "alloy", "input": "Hello.", **fields}
        reply = call(self.upstream.address, "POST", "/v1/audio/speech", headers, body)
        self.assertEqual(reply.status, 200, reply.body)
        return reply

    @unittest.skipUnless(shutil.which("ffmpeg"), "no ffmpeg here")
    def test_every_format_decodes_to_its_length(self):
        for (name, (content_type, _, frame)), seconds in itertools.product(
                FORMATS.items(), SECONDS):
            with self.subTest(format=name, seconds=seconds):
                reply = self.speak({"x-sample-seconds": str(seconds)}, response_format=name)
                self.assertEqual(reply.headers["content-type"], content_type)
                samples = round(seconds * SAMPLE_RATE)
                whole_frames = -(-samples // frame) * frame
                self.assertEqual(decode(name, reply.body), whole_frames)

    def test_the_length_follows_from_the_input(self):
        for text, speed, seconds in [("x" * 100, 1, 6.667), ("é" * 100, 1, 6.667),
                                     ("x" * 100, 2, 3.333), ("x", 1, 0.5), ("x" * 100, 99, 1.667)]:
            with self.subTest(text=text[:1], speed=speed):
                spoken = self.speak(input=text, speed=speed, response_format="pcm")
                self.assertAlmostEqual(len(spoken.body) / 2 / SAMPLE_RATE, seconds, places=3)

    def test_events_carry_the_same_bytes(self):
        for name in FORMATS:
            with self.subTest(format=name):
                asked = {"x-sample-seconds": "7.25", "x-sample-chunks": "5"}
                whole = self.speak(asked, response_format=name)
                reply = self.speak(asked, response_format=name, stream_format="sse")
                self.assertEqual(reply.headers["content-type"], "text/event-stream")
                *lines, nothing = reply.body.decode().split("\n\n")
                self.assertEqual(nothing, "")
                *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines]
                self.assertEqual({delta["type"] for delta in deltas}, {"speech.audio.delta"})
                self.assertEqual(b"".join(base64.b64decode(delta["audio"], validate=True)
                                          for delta in deltas), whole.body)
                self.assertEqual(done["type"], "speech.audio.done")
                self.assertEqual(done["usage"]["total_tokens"],
                                 done["usage"]["input_tokens"] + done["usage"]["output_tokens"])

    def transcribe(self, *pieces, endpoint="transcriptions", content_type=FORM, **headers):
        """Sends exactly the given pieces, one by one."""
        head = (f"POST /v1/audio/{endpoint} HTTP/1.1\r\nHost: sample\r\nConnection: close\r\n"
                f"Content-Type: {content_type}\r\nContent-Length: {sum(map(len, pieces))}\r\n"
                + "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()))
        with RawConnection(self.upstream.address) as connection:
            for piece in [head.encode() + b"\r\n", *pieces]:
                connection.send(piece)
            return connection.read_reply(to_method="POST")

    def test_transcripts_have_the_form_asked_for(self):
        beginnings = {"json": ("application/json", b'{"text":"Hello '),
                      "verbose_json": ("application/json", b'{"task":"transcribe",'),
                      "text": ("text/plain; charset=utf-8", b"Hello "),
                      "srt": ("text/plain; charset=utf-8", b"1\n00:00:00,000 --> 00:00:01,500\nHello "),
                      "vtt": ("text/plain; charset=utf-8", b"WEBVTT\n\n00:00:00.000 --> ")}
        for name, (content_type, beginning) in beginnings.items():
            with self.subTest(response_format=name):
                reply = self.transcribe(form(file=b"x", response_format=name.encode()))
                self.assertEqual((reply.status, reply.headers["content-type"]), (200, content_type))
                self.assertTrue(reply.body.startswith(beginning), reply.body)
        translated = self.transcribe(form(file=b"x", response_format=b"verbose_json"),
                                     endpoint="translations")
        self.assertEqual(translated.json()["task"], "translate")

    def test_a_form_cut_anywhere_is_read_alike(self):
        file = b"abc\r\n--Cut--\r\n\r\n--Cut-her\r\n\r\n-" + b"\r\n" * 40
        whole = (b"preamble" + form(before=b"1", file=file, empty=b"", response_format=b"json")
                 + b"\r\nepilogue")
        for size in (1, 2, 3, 7, len(whole)):
            with self.subTest(size=size):
                reply = self.transcribe(*[whole[i:i + size] for i in range(0, len(whole), size)])
                self.assertEqual(reply.json()["sample_file_bytes"], len(file))

    def test_a_form_that_is_broken_off_or_has_no_file_is_refused(self):
        whole = form(file=b"x" * 100)
        for name, body in {"cut": whole[:-10], "no file": form(model=b"whisper-1"), "empty": b"",
                           "format": form(file=b"x", response_format=b"tape")}.items():
            with self.subTest(name):
                reply = self.transcribe(body)
                self.assertEqual((reply.status, reply.json()["error"]["type"]),
                                 (400, "invalid_request_error"))

    def test_a_body_that_is_no_form_is_the_file(self):
        reply = self.transcribe(b"RIFF....", content_type="audio/wav")
        self.assertEqual(reply.json()["sample_file_bytes"], 8)

    def test_a_transcript_as_events(self):
        reply = self.transcribe(form(stream=b"true", file=b"x"), x_sample_chunks=3)
        self.assertEqual(reply.headers["content-type"], "text/event-stream")
        *deltas, done = [json.loads(event.removeprefix("data: "))
                         for event in reply.body.decode().split("\n\n") if event]
        self.assertEqual([delta["delta"] for delta in deltas], ["word0 ", "word1 ", "word2 "])
        self.assertEqual((done["type"], done["text"]), ("transcript.text.done", "word0 word1 word2 "))


if __name__ == "__main__":
    unittest.main()
