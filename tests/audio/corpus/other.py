"""What is not audio. Charging seconds for an error message would be as wrong as missing some."""
from .recipe import Case, ffmpeg, noise, silence, with_video, written

JSON = b'{"error": {"message": "The model is overloaded.", "type": "server_error", "code": null}}\n'
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def cases():
    for name, contents in [
            ("empty.bin", b""), ("one-byte.bin", b"\xff"), ("error.json", JSON), ("long.json", JSON * 300),
            ("page.html", b"<!DOCTYPE html><html><body>" + b"<p>502 Bad Gateway</p>" * 200),
            ("text.txt", b"Once upon a time. " * 500), ("picture.png", PNG + noise(5000, "png")),
            ("zeros.bin", bytes(100_000)), ("ones.bin", b"\xff" * 20_000), ("noise.bin", noise(20_000, "noise")),
            ("archive.zip", b"PK\3\4" + noise(5000, "zip")),
            ("riff-avi.avi", b"RIFF\0\x10\0\0AVI LIST" + bytes(4096)),
            ("id3-only.mp3", b"ID3\4\0\0\0\0\x07\x68" + bytes(1000))]:
        yield Case(f"other/{name}", written(contents))
    yield Case("other/video-only.mp4", ffmpeg(with_video(silence(1)), "-map 1:v -c:v mpeg4"))
    yield Case("other/video-only.webm",
               ffmpeg(with_video(silence(1)), "-map 1:v -c:v libvpx -deadline realtime"))
