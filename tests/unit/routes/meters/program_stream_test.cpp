#include "routes/meters/program_stream.hpp"

#include "tests/unit/routes/meters/feed.hpp"
#include "tests/unit/routes/meters/mpeg_frames.hpp"

namespace tollgate::routes::meters {
namespace {

using namespace std::literals;

const std::string pack1 = "\0\0\1\xBA\x21\0\1\0\1\x80\0\1"s;
const std::string pack2 = "\0\0\1\xBA\x44\0\4\0\4\1\0\0\3\xF8"s;
const std::string system_head = "\0\0\1\xBB\0\x09\x80\0\1\4\xE1\xFF\xC0\xC0\x20"s;
const std::string end_code = "\0\0\1\xB9"s;
const std::string no_times = "\x0F";

std::string packet(int stream, const std::string& content, const std::string& head = no_times) {
  return "\0\0\1"s + static_cast<char>(stream) + big(head.size() + content.size(), 2) + head +
         content;
}
std::string audio(const std::string& content, const std::string& head = no_times) {
  return packet(0xC0, content, head);
}
answer program(const std::string& bytes) {
  return measure(make_program_stream_meter, bytes);
}
duration frames(std::uint64_t n) {
  return duration::of_samples(1152 * n, 44'100);
}
const std::string begin = pack1 + system_head;

TEST(ProgramStream, CountsTheFramesOfItsAudio) {
  EXPECT_EQ(program(begin + audio(layer3(3)) + pack1 + audio(layer3(4)) + end_code),
            (answer{state::measuring, frames(7), "mpeg", "mpeg audio"}));
  EXPECT_EQ(program(pack2 + system_head + audio(layer3(3)) + pack2 + audio(layer3(4))).length,
            frames(7));
  // A frame across packets; a frame that is cut off; frames of another kind.
  const auto five = layer3(5);
  EXPECT_EQ(program(begin + audio(five.substr(0, 1000)) + audio(five.substr(1000))).length,
            frames(5));
  const auto cut = begin + audio(layer3(5));
  EXPECT_EQ(program(cut.substr(0, cut.size() - 417 - 200)).length, frames(4));
}

TEST(ProgramStream, KnowsHeadersOfBothKinds) {
  for (const auto& head :
       {"\x21\0\1\0\1"s, "\x31\0\1\0\1\x11\0\1\0\1"s, "\x60\x20\x21\0\1\0\1"s,
        "\xFF\xFF\xFF\x60\x20\x31\0\1\0\1\x11\0\1\0\1"s, "\x80\x80\5\x21\0\1\0\1"s, "\x80\0\0"s,
        "\x80\0\x40"s + std::string(64, '\xFF')})
    EXPECT_EQ(program(begin + audio(layer3(5), head)).length, frames(5));
  for (const auto& head :
       {"\x90\0\0"s, "\x80\0\x41"s + std::string(65, '\xFF'), "\x10"s, std::string(40, '\xFF')})
    EXPECT_EQ(program(begin + audio(layer3(5), head)).status, state::unmeasurable);
}

TEST(ProgramStream, PassesOverPaddingAndPictures) {
  const auto video = packet(0xE0, "\0\0\1\xB3"s + noise(500)), more = packet(0xE0, noise(500));
  const auto padding = packet(0xBE, std::string(90, '\xFF'));
  EXPECT_EQ(program(begin + video + audio(layer3(3)) + padding + more + audio(layer3(4))).length,
            frames(7));
}

// Some decoders would play each of these, and others would not.
TEST(ProgramStream, WhatIsNotPlainCannotBeMeasured) {
  const auto some = audio(layer3(5));
  const auto sequence = "\0\0\1\xB3"s + noise(60);
  for (const auto& bytes :
       {pack1 + some, begin + system_head + some, begin + some + noise(30),
        begin + some + layer3(9), begin + some + packet(0xC1, layer3(5)),
        begin + some + packet(0xBD, noise(90)), begin + some + packet(0xBF, noise(90)),
        begin + some + packet(0xBE, layer3(2)), begin + some + packet(0xE0, layer3(5)),
        begin + some + packet(0xE0, sequence + layer3(5)),
        begin + some + packet(0xE0, sequence) + packet(0xE1, sequence),
        begin + some + end_code + begin + some, begin + audio(noise(900)),
        begin + audio(layer3(2) + noise(90)), begin, ""s,
        begin + some + packet(0xE0, sequence + repeat(adts_frame(4, 100), 5)),
        begin + some + audio("", "\x80\0\x20")})
    EXPECT_EQ(program(bytes).status, state::unmeasurable);
}

}  // namespace
}  // namespace tollgate::routes::meters
