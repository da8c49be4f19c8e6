#include "proxy/gateway/journal/record.hpp"

#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <zlib.h>

namespace tollgate::proxy::journal {
namespace {

quota::hold_id id_of(std::uint64_t number) {
  return quota::hold_id::make(quota::time_point{std::chrono::milliseconds{1'800'000'000'000}}, 7,
                              number);
}

opened some_charge(std::uint64_t number) {
  opened what;
  what.id = id_of(number);
  what.org = "acme";
  what.price_at.price = quota::credits::from_micro(10'000'000);
  what.used = 1;
  what.hold_timeout_ms = 60'000;
  what.request_id = "request-" + std::to_string(number);
  what.who = {"chat", "llm", "gpt-4", "agent", "", "key_1"};
  return what;
}

std::string encoded(const auto& what) {
  std::string buffer;
  return std::string{encode(what, buffer)};
}

std::string segment(const std::string& records, std::uint64_t synced = 0, std::size_t zeros = 256) {
  return encode(segment_header{3, 1, synced}) + records + std::string(zeros, '\0');
}

struct reading {
  segment_content content;
  std::vector<record> records;
};

reading read(std::string_view bytes) {
  reading found;
  found.content =
      read_segment(bytes, [&](record&& each) { found.records.push_back(std::move(each)); });
  return found;
}

const std::string four = encoded(some_charge(1)) + encoded(used_more{id_of(1), 5'000'000}) +
                         encoded(ended{id_of(1), false, 6'000'000}) + encoded(done{id_of(1)});

TEST(journal_record, is_read_as_it_was_written) {
  const auto found = read(segment(four));
  ASSERT_TRUE(found.content.header);
  EXPECT_EQ(found.content.header->sequence, 3u);
  EXPECT_TRUE(found.content.damaged.empty());
  EXPECT_FALSE(found.content.torn_at);
  ASSERT_EQ(found.records.size(), 4u);
  const auto& start = std::get<opened>(found.records[0]);
  EXPECT_EQ(start.id, id_of(1));
  EXPECT_EQ(start.org, "acme");
  EXPECT_EQ(start.request_id, "request-1");
  EXPECT_EQ(start.who, some_charge(1).who);
  EXPECT_EQ(quota::price(start.price_at, {start.used}), quota::credits::from_micro(10'000'000));
  EXPECT_EQ(std::get<used_more>(found.records[1]).used, 5'000'000);
  EXPECT_FALSE(std::get<ended>(found.records[2]).settles);
  EXPECT_EQ(std::get<done>(found.records[3]).id, id_of(1));
}

TEST(journal_record, one_that_is_too_long_is_not_written) {
  auto what = some_charge(1);
  what.request_id.assign(longest_frame, 'x');
  EXPECT_EQ(encoded(what), "");
}

TEST(journal_segment, a_last_record_that_was_cut_short_is_left_out) {
  const auto whole = segment(four, 0, 0);
  const auto last = encoded(done{id_of(1)}).size();
  for (std::size_t missing = 1; missing < last; ++missing) {
    // The file as the process left it: the rest is zeros.
    const auto cut = whole.substr(0, whole.size() - missing) + std::string(missing + 64, '\0');
    const auto found = read(cut);
    EXPECT_TRUE(found.content.damaged.empty()) << missing;
    EXPECT_GE(found.records.size(), 3u) << missing;
  }
}

TEST(journal_segment, damage_in_the_middle_is_named_and_the_rest_is_read) {
  const auto first = encoded(some_charge(1)).size();
  auto bytes = segment(encoded(some_charge(1)) + encoded(some_charge(2)) + encoded(some_charge(3)));
  bytes[header_size + first + 20] ^= 1;
  const auto found = read(bytes);
  ASSERT_EQ(found.content.damaged.size(), 1u);
  EXPECT_EQ(found.content.damaged[0].offset, header_size + first);
  EXPECT_EQ(found.records.size(), 2u);
}

TEST(journal_segment, one_that_is_struck_out_is_to_be_voided_and_no_damaged_bit_does_that) {
  const auto whole = segment(encoded(some_charge(1)) + encoded(some_charge(2)));
  const auto strike = [](std::string bytes, const auto& change) {
    std::uint32_t first;
    std::memcpy(&first, bytes.data() + header_size, sizeof first);
    first = change(first);
    std::memcpy(bytes.data() + header_size, &first, sizeof first);
    return bytes;
  };
  const auto struck = read(strike(whole, struck_out));
  EXPECT_TRUE(struck.content.damaged.empty());
  ASSERT_EQ(struck.records.size(), 3u);
  ASSERT_TRUE(std::holds_alternative<ended>(struck.records[1]));
  EXPECT_FALSE(std::get<ended>(struck.records[1]).settles);
  EXPECT_EQ(std::get<ended>(struck.records[1]).id, some_charge(1).id);
  for (int bit = 0; bit < 32; ++bit) {
    const auto damaged =
        read(strike(whole, [bit](std::uint32_t word) { return word ^ (1u << bit); }));
    EXPECT_FALSE(damaged.content.damaged.empty()) << bit;
    EXPECT_EQ(damaged.records.size(), 1u) << bit;
  }
}

TEST(journal_segment, a_hole_of_zeros_is_damage) {
  const auto first = encoded(some_charge(1)).size();
  auto bytes = segment(encoded(some_charge(1)) + encoded(some_charge(2)));
  std::fill_n(bytes.begin() + header_size, first, '\0');
  const auto found = read(bytes);
  ASSERT_EQ(found.content.damaged.size(), 1u);
  EXPECT_EQ(found.content.damaged[0].offset, header_size);
  EXPECT_EQ(found.records.size(), 1u);
}

TEST(journal_segment, what_was_on_disk_and_is_gone_is_damage) {
  const auto first = encoded(some_charge(1)).size();
  const auto second = encoded(some_charge(2)).size();
  auto bytes =
      segment(encoded(some_charge(1)) + encoded(some_charge(2)), header_size + first + second);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(header_size + first), second, '\0');
  const auto found = read(bytes);
  ASSERT_EQ(found.content.damaged.size(), 1u);
  EXPECT_EQ(found.content.damaged[0].offset, header_size + first);
}

const std::string store_id = "00112233445566778899aabbccddeeff";

// As release `version` of the format writes it, whatever else the header has.
std::string in_format(std::uint32_t version, std::string bytes) {
  std::memcpy(bytes.data() + 8, &version, sizeof version);
  const auto sum = static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), 24));
  std::memcpy(bytes.data() + 24, &sum, sizeof sum);
  return bytes;
}

TEST(journal_segment, notes_the_store) {
  const auto noted = encode(segment_header{3, 1, 0, store_id}) + four;
  EXPECT_EQ(read(noted).content.header->store, store_id);
  EXPECT_TRUE(read(noted).content.damaged.empty());
  EXPECT_EQ(read(segment(four)).content.header->store, "");
  for (const char* no_id : {"x", "00112233445566778899aabbccddeefg", "0011", "-0"}) {
    EXPECT_EQ(encode_store(no_id), "") << no_id;
  }
  for (std::size_t at = store_at; at < store_at + 20; ++at) {
    auto bytes = noted;
    bytes[at] ^= 1;
    const auto found = read(bytes);
    ASSERT_EQ(found.content.damaged.size(), 1u) << at;
    EXPECT_EQ(found.content.damaged[0].offset, store_at);
    EXPECT_EQ(found.content.header->store, "");
    EXPECT_EQ(found.records.size(), 4u);
  }
}

TEST(journal_segment, of_the_release_before_is_read_without_a_store) {
  const auto found = read(in_format(1, segment(four)));
  ASSERT_TRUE(found.content.header);
  EXPECT_EQ(found.content.header->store, "");
  EXPECT_TRUE(found.content.damaged.empty());
  EXPECT_EQ(found.records.size(), 4u);
  for (const std::uint32_t unknown : {0u, 3u}) {
    EXPECT_FALSE(read(in_format(unknown, segment(four))).content.header);
  }
}

TEST(journal_segment, other_files_and_later_versions_are_refused) {
  EXPECT_FALSE(read("").content.header);
  EXPECT_FALSE(read(std::string(4096, '\0')).content.header);
  EXPECT_EQ(read("something else").content.damaged.size(), 1u);
}

TEST(journal_segment, no_bytes_are_read_as_records_that_nobody_wrote) {
  std::mt19937 random{11};
  for (int round = 0; round < 3'000; ++round) {
    auto bytes = segment(encoded(some_charge(1)) + four + encoded(some_charge(2)), random() % 600);
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
    }
    bytes.resize(random() % 2 == 0 ? bytes.size() : random() % (bytes.size() + 1));
    for (const auto& each : read(bytes).records) {
      const auto* start = std::get_if<opened>(&each);
      EXPECT_TRUE(start == nullptr || start->org == "acme");
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy::journal
