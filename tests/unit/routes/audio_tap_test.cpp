#include "routes/audio_tap.hpp"

#include <gtest/gtest.h>

#include "tests/support/deflate.hpp"
#include "tests/unit/routes/meters/mpeg_frames.hpp"
#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes {
namespace {

using meters::state;

void append_number(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// Silence: mono, 8 bit, 8 kHz.
std::string wav(std::uint32_t samples) {
  std::string out = "RIFF";
  append_number(out, 36 + samples, 4);
  out += "WAVEfmt ";
  for (const auto& [value, bytes] :
       {std::pair{16u, 4}, {1u, 2}, {1u, 2}, {8000u, 4}, {8000u, 4}, {1u, 2}, {8u, 2}}) {
    append_number(out, value, bytes);
  }
  out += "data";
  append_number(out, samples, 4);
  return out + std::string(samples, '\x80');
}

struct seen {
  state status;
  std::int64_t used;
  bool operator==(const seen&) const = default;
};

seen tapped(const std::string& body, audio_tap::body_facts facts, audio_settings settings = {},
            std::size_t slice = 1000) {
  audio_tap tap{settings, facts};
  for (std::size_t i = 0; i < body.size(); i += slice)
    tap.write(std::string_view{body}.substr(i, slice));
  tap.finish();
  return {tap.status(), tap.used().amount};
}

constexpr std::int64_t second = 1'000'000;
const seen two_seconds{state::measuring, 2 * second};

TEST(audio_tap, takes_a_body_as_it_is) {
  for (const std::string_view type : {"audio/wav", "audio/mpeg", "", "application/octet-stream"}) {
    EXPECT_EQ(tapped(wav(16'000), {type, ""}), two_seconds) << type;
  }
  EXPECT_EQ(tapped(wav(16'000), {"audio/wav", ""}, {}, 1), two_seconds);
}

TEST(audio_tap, finds_the_part_of_a_form) {
  const auto form = [](const std::string& name) {
    return "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx\r\n"
           "--b\r\nContent-Disposition: form-data; name=\"" +
           name + "\"; filename=\"a\"\r\n\r\n" + wav(16'000) + "\r\n--b--\r\n";
  };
  const audio_tap::body_facts facts{"Multipart/Form-Data; boundary=b", ""};
  EXPECT_EQ(tapped(form("file"), facts), two_seconds);
  EXPECT_EQ(tapped(form("other"), facts).status, state::unmeasurable);
  audio_settings settings;
  settings.part = "other";
  EXPECT_EQ(tapped(form("other"), facts, settings), two_seconds);
}

std::string named_form(const std::string& disposition, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; name=\"file\"; " + disposition + "\r\n\r\n" +
         content + "\r\n--b--\r\n";
}

// ffmpeg reads 20 KB of MP3 as 190 s of G.723.1 if the file name says so.
TEST(audio_tap, goes_by_the_name_of_a_file_where_ffmpeg_does) {
  const audio_tap::body_facts facts{"multipart/form-data; boundary=b", ""};
  const auto mp3 = meters::layer3(100);
  const auto status = [&](const std::string& disposition, const std::string& content) {
    return tapped(named_form(disposition, content), facts).status;
  };
  for (const auto* name : {"a.mp3", "a.MP3", "a", "a.wav", "a.mpga", "a.g722.mp3", "a.bin"}) {
    EXPECT_EQ(status("filename=\"" + std::string{name} + "\"", mp3), state::measuring) << name;
  }
  for (const auto* name : {"a.g722", "a.G723_1", "a.tco", "a.mp3.sln", "a.g729 "}) {
    EXPECT_EQ(status("filename=\"" + std::string{name} + "\"", mp3), state::unmeasurable) << name;
    EXPECT_EQ(status("filename=\"" + std::string{name} + "\"", wav(16'000)), state::measuring);
  }
  EXPECT_EQ(status("filename=\"a.mp3\"; filename*=utf-8''a.g722", mp3), state::unmeasurable);
}

// A speech route that does not read the request does not know that PCM was requested.
TEST(audio_tap, events_of_speech_are_samples_where_nothing_says_otherwise) {
  const std::string silence = "AAAA";  // three bytes
  std::string delta, events;
  for (int i = 0; i < 8'000; ++i) delta += silence;
  for (int i = 0; i < 4; ++i)
    events += "data: {\"type\":\"speech.audio.delta\",\"audio\":\"" + delta + "\"}\n\n";
  events += "data: {\"type\":\"speech.audio.done\"}\n\n";
  EXPECT_EQ(tapped(events, {"text/event-stream", ""}), two_seconds);
}

TEST(audio_tap, without_audio_is_unmeasurable_and_charged_by_size) {
  audio_settings settings;
  settings.bit_rate = 8'000;
  EXPECT_EQ(tapped(std::string(2'000, 'x'), {"audio/wav", ""}, settings),
            (seen{state::unmeasurable, 2 * second}));
  EXPECT_EQ(tapped(wav(0), {"audio/wav", ""}, settings).status, state::unmeasurable);
  EXPECT_EQ(tapped("", {"audio/wav", ""}, settings), (seen{state::unmeasurable, 0}));
  EXPECT_EQ(tapped(wav(16'000), {"audio/wav", "br"}, settings).status, state::unmeasurable);
  EXPECT_EQ(tapped(wav(16'000), {"multipart/form-data", ""}, settings).status, state::unmeasurable);
}

TEST(audio_tap, audio_without_a_container_is_what_it_is_said_to_be) {
  const std::string samples(96'000, '\0');
  const auto of = [&](std::string_view type, bool openai = false, audio_settings settings = {}) {
    return tapped(samples, {type, "", openai}, settings);
  };
  EXPECT_EQ(of("audio/L16; rate=24000"), two_seconds);
  EXPECT_EQ(of("audio/l16;rate=12000;channels=2"), two_seconds);
  EXPECT_EQ(of("audio/pcm;rate=24000"), two_seconds);
  EXPECT_EQ(of("audio/L24;rate=16000"), two_seconds);
  EXPECT_EQ(of("audio/basic").used, 12 * second);
  EXPECT_EQ(of("audio/pcm", true), two_seconds);
  EXPECT_EQ(of("audio/pcm").status, state::unmeasurable);
  EXPECT_EQ(of("audio/L16; rate=0").status, state::unmeasurable);
  EXPECT_EQ(of("audio/L16; rate=x").status, state::unmeasurable);
  audio_settings settings;
  settings.pcm = meters::pcm_format{48'000, 1, 1};
  EXPECT_EQ(of("audio/pcm", false, settings), two_seconds);
  EXPECT_EQ(of("audio/pcm", true, settings), two_seconds);
  EXPECT_EQ(of("audio/L16; rate=48000", false, settings).used, second);
}

// If the type could claim samples, any bytes that only the upstream understands would count as
// samples, at any rate.
TEST(audio_tap, of_an_upload_only_the_route_says_what_samples_are) {
  const std::string samples(96'000, '\x01');
  audio_settings settings;
  EXPECT_EQ(tapped(samples, {"audio/L16; rate=24000", "", false, true}).status,
            state::unmeasurable);
  settings.pcm = meters::pcm_format{48'000, 1, 1};
  EXPECT_EQ(tapped(samples, {"audio/L16; rate=768000", "", false, true}, settings), two_seconds);
}

TEST(audio_tap, says_why) {
  const auto why = [](const std::string& body, audio_tap::body_facts facts) {
    audio_tap tap{{}, facts};
    tap.write(body);
    tap.finish();
    return tap.why_unmeasurable();
  };
  EXPECT_EQ(why("", {"audio/wav", ""}), "its body is empty");
  EXPECT_EQ(why("hello", {"audio/wav", ""}),
            "it is not audio in a known format (AAC, AIFF, AMR, FLAC, MP3, MP4 and "
            "QuickTime, MPEG "
            "program streams, Ogg, WAV, WebM and Matroska)");
  // A transport stream.
  EXPECT_TRUE(why(meters::repeat("G\1\1\x10" + std::string(184, 'x'), 9), {"video/mp2t", ""})
                  .starts_with("it is not audio in"));
  EXPECT_EQ(why(wav(0), {"audio/wav", ""}),
            "it has no audio, or is not as ordinary encoders write it (container: wav)");
  EXPECT_EQ(why("x", {"multipart/form-data", ""}), "its body could not be read: malformed");
  EXPECT_EQ(why("x", {"audio/L16;rate=8000", "", false, true}),
            "it has samples without a container, and its route has no audio.pcm");
}

std::string form(const std::string& content, std::string_view name = "file") {
  return std::string{"--b\r\nContent-Disposition: form-data; name="}
      .append(name)
      .append("\r\n\r\n")
      .append(content)
      .append("\r\n");
}
const std::string end_of_form = "--b--\r\n";
constexpr std::string_view form_type = "multipart/form-data; boundary=b";

// A caller who pays by the second could send a type under which Tollgate measures little, while an
// upstream that ignores it reads more.
TEST(audio_tap, an_upload_is_read_by_what_its_type_could_mean) {
  const auto upload = [](const std::string& body, std::string_view type) {
    return tapped(body, {type, "", false, true});
  };
  // Some form readers accept any multipart type as a form.
  const auto plain = form(wav(160'000)) + end_of_form, decoy = meters::layer3(300) + "\r\n" + plain;
  EXPECT_EQ(upload(plain, "multipart/mixed; boundary=b"), (seen{state::measuring, 20 * second}));
  EXPECT_EQ(upload(decoy, "multipart/mixed; boundary=b").status, state::unmeasurable);
  EXPECT_EQ(upload(plain, "Multipart/x").status, state::unmeasurable);
  for (const std::string_view type :
       {"application/vnd.api+json", "text/json", "Application/X+JSON"})
    EXPECT_EQ(upload("{\"audio\":\"UklGRg==\"} ", type).status, state::unmeasurable) << type;
  // Two types at once: which one is read is unknown.
  for (const std::string_view type : {"multipart/form-data, audio/wav; boundary=b",
                                      "audio/wav audio/mpeg", "audio/wav,", "a\xFF/b"})
    EXPECT_EQ(upload(wav(16'000), type).status, state::unmeasurable) << type;
  // No reader treats an upload as events; as a file it is not audio.
  EXPECT_EQ(upload("data: {\"audio\":\"UklGRg==\"}\n\n", "text/event-stream").status,
            state::unmeasurable);
  EXPECT_EQ(upload(wav(16'000), "text/event-stream"), two_seconds);
  for (const std::string_view type : {"", "audio/wav", "wav", "audio/x-wav ; x=\"a, b\""})
    EXPECT_EQ(upload(wav(16'000), type), two_seconds) << type;
}

TEST(audio_tap, an_upload_goes_up_with_the_type_it_was_read_by) {
  const auto sent = [](std::string_view type, audio_settings settings = {}) {
    return audio_tap{settings, {type, "", false, true}}.content_type();
  };
  EXPECT_EQ(sent("multipart/form-data; x=y; boundary=b"), form_type);
  EXPECT_EQ(sent("application/json; x=y"), "application/json");
  EXPECT_EQ(sent("audio/webm;codecs=opus"), "audio/webm; codecs=opus");
  EXPECT_EQ((audio_tap{{}, {"audio/wav", ""}}.content_type()), "");  // an answer
  const auto wav_in = [](std::string_view type) {
    const auto body = type.starts_with("application/")
                          ? "{\"audio\":\"" + readers::to_base64(wav(16'000)) + "\"}"
                          : form(wav(16'000)) + end_of_form;
    return tapped(body, {type, "", false, true});
  };
  EXPECT_EQ(wav_in("application/json"), two_seconds);
  EXPECT_EQ(wav_in(form_type), two_seconds);
  for (const std::string_view type :
       {"application/json; charset=utf-7", "application/json; charset*=utf-8''utf-7",
        "application/json; charset*0=utf-16", "multipart/form-data; boundary=b; charset=utf-7",
        "multipart/form-data; boundary=b; charset=cp037",
        "multipart/form-data; boundary=b; charset*0=utf-7"}) {
    EXPECT_EQ(sent(type), "") << type;
    EXPECT_EQ(wav_in(type).status, state::unmeasurable) << type;
  }
  // A rate that the upstream could use, and the route does not.
  audio_settings raw;
  raw.pcm = meters::pcm_format{16'000, 1, 2};
  EXPECT_EQ(sent("audio/L16;rate=16000", raw), "audio/l16; rate=16000");
  EXPECT_EQ(sent("audio/pcm", raw), "audio/pcm");
  EXPECT_EQ(tapped(std::string(32'000, 's'), {"audio/L16;rate=16000", "", false, true}, raw),
            (seen{state::measuring, 1 * second}));
  EXPECT_EQ(tapped(std::string(32'000, 's'), {"audio/L16;rate=4000", "", false, true}, raw),
            (seen{state::measuring, 1 * second}));
  EXPECT_EQ(sent("audio/L16;rate=4000", raw), "audio/l16; rate=16000; channels=1");
  EXPECT_EQ(sent("audio/basic", raw), "audio/l16; rate=16000; channels=1");
}

// Most frameworks ignore Content-Encoding, and would read the contents of gzip's header.
TEST(audio_tap, an_upload_is_read_as_it_is_sent_too) {
  const auto upload = [](const std::string& body, std::string_view type,
                         audio_settings settings = {}) {
    return tapped(body, {type, "gzip", false, true}, settings);
  };
  EXPECT_EQ(upload(tests::deflated(wav(16'000)), "audio/wav"), two_seconds);
  EXPECT_EQ(upload(tests::deflated(form(wav(16'000)) + end_of_form), form_type), two_seconds);

  const auto hidden = "\r\n" + form(std::string(90'000, 'x')) + end_of_form;
  EXPECT_EQ(
      upload(tests::deflated(form(wav(16'000)) + end_of_form, tests::framing::gzip, 6, hidden),
             form_type)
          .status,
      state::unmeasurable);

  std::string frames;  // MPEG 2, 8 kbit/s, 24 kHz: 24 ms each
  for (int i = 0; i < 500; ++i) frames += "\xFF\xF3\x14\x7F" + std::string(20, 'x');
  EXPECT_EQ(
      upload(tests::deflated(wav(16'000), tests::framing::gzip, 6, frames), "audio/wav").status,
      state::unmeasurable);
  EXPECT_EQ(
      tapped(tests::deflated(wav(16'000), tests::framing::gzip, 6, frames), {"audio/wav", "gzip"}),
      two_seconds);  // an answer is not trusted to hide audio

  audio_settings raw;
  raw.pcm = meters::pcm_format{1'000, 1, 1};
  const auto body =
      tests::deflated(std::string(2'000, 's'), tests::framing::gzip, 6, std::string(100'000, 'x'));
  EXPECT_GT(upload(body, "audio/pcm", raw).used, 100 * second);
}

// A lenient reader continues where Tollgate stops: that must not be the cheaper case.
TEST(audio_tap, what_was_counted_before_a_fault_stays) {
  audio_settings settings;
  settings.bit_rate = 1'000'000;
  const auto body = form(wav(16'000)) + end_of_form + "\n--b\n";
  EXPECT_EQ(tapped(body, {form_type, ""}, settings), (seen{state::unmeasurable, 2 * second}));
  settings.bit_rate = 1'000;
  EXPECT_GT(tapped(body, {form_type, ""}, settings).used, 100 * second);
}

TEST(audio_tap, counts_while_it_passes) {
  audio_tap tap{{}, {"audio/wav", ""}};
  const auto body = wav(16'000);
  EXPECT_EQ(tap.status(), state::undecided);
  tap.write(std::string_view{body}.substr(0, 44 + 4'000));
  EXPECT_EQ(tap.status(), state::measuring);
  EXPECT_EQ(tap.used().amount, second / 2);
  EXPECT_EQ(tap.container(), "wav");
}

}  // namespace
}  // namespace tollgate::routes
