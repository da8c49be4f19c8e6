#include "proxy/gateway/journal/record.hpp"

#include <charconv>
#include <cstring>

#include <zlib.h>

#include "quota/hex.hpp"

namespace tollgate::proxy::journal {

namespace {

constexpr std::string_view magic = "TGJOURN1";
constexpr std::uint32_t version = 2;  // 1 did not note the store
constexpr std::size_t store_size = 16;
constexpr std::uint32_t frame_mark = 0x4A000000, struck_mark = 0xB5000000, mark_mask = 0xFF000000;
constexpr std::size_t frame_head = 8;  // mark and length, checksum

enum class kind : std::uint8_t { opened = 1, used_more = 2, ended = 3, done = 4 };

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::size_t padded(std::size_t size) {
  return (size + 7) & ~std::size_t{7};
}

template <class T>
void put(std::string& out, T number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

void put(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint16_t>(std::min<std::size_t>(text.size(), 0xFFFF)));
  out.append(text.substr(0, 0xFFFF));
}

void begin(std::string& out, kind what, const quota::hold_id& id) {
  out.assign(frame_head, '\0');
  out += static_cast<char>(what);
  out += '\x01';  // the record's own version
  out.append(id.text());
}

std::string_view finish(std::string& out) {
  const auto length = static_cast<std::uint32_t>(out.size() - frame_head);
  if (padded(out.size()) > longest_frame) return {};
  const auto sum = checksum(std::string_view{out}.substr(frame_head));
  const std::uint32_t head = frame_mark | length;
  std::memcpy(out.data(), &head, sizeof head);
  std::memcpy(out.data() + sizeof head, &sum, sizeof sum);
  out.resize(padded(out.size()));
  return out;
}

template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

class field_reader {
 public:
  explicit field_reader(std::string_view bytes) : rest_{bytes} {}

  bool valid() const { return valid_; }
  template <class T>
  T number() {
    if (rest_.size() < sizeof(T)) return fail<T>();
    const auto value = number_at<T>(rest_, 0);
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string text() {
    const auto size = number<std::uint16_t>();
    if (rest_.size() < size) return fail<std::string>();
    std::string value{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return value;
  }
  quota::hold_id id() {
    constexpr std::size_t digits = 26;
    if (rest_.size() < digits) return fail<quota::hold_id>();
    const auto value = quota::hold_id::parse(rest_.substr(0, digits));
    rest_.remove_prefix(digits);
    return value ? *value : fail<quota::hold_id>();
  }

 private:
  template <class T>
  T fail() {
    valid_ = false;
    rest_ = {};
    return T{};
  }

  std::string_view rest_;
  bool valid_ = true;
};

opened read_opened(field_reader& in, const quota::hold_id& id) {
  opened what;
  what.id = id;
  what.price_at.price = quota::credits::from_micro(in.number<std::int64_t>());
  what.price_at.per = static_cast<quota::unit>(in.number<std::uint8_t>());
  what.price_at.meter = static_cast<quota::meter_kind>(in.number<std::uint8_t>());
  what.price_at.increment_us = in.number<std::int64_t>();
  what.used = in.number<std::int64_t>();
  what.hold_timeout_ms = in.number<std::int64_t>();
  what.org = in.text();
  what.request_id = in.text();
  for (auto* text : {&what.who.route, &what.who.action, &what.who.model, &what.who.agent,
                     &what.who.conversation, &what.who.key_id}) {
    *text = in.text();
  }
  return what;
}

bool is_sound(const opened& what) {
  return quota::is_valid_org_id(what.org) && what.price_at.per <= quota::unit::minute &&
         what.price_at.meter <= quota::meter_kind::response_audio &&
         what.price_at.increment_us > 0 && what.price_at.price >= quota::credits{} &&
         what.used >= 0 && what.hold_timeout_ms > 0;
}

// Nothing: written by a later version, or not by Tollgate.
std::optional<record> read_record(std::string_view body) {
  field_reader in{body};
  const auto what = static_cast<kind>(in.number<std::uint8_t>());
  if (in.number<std::uint8_t>() != 1) return std::nullopt;
  const auto id = in.id();
  std::optional<record> found;
  switch (what) {
    case kind::opened: {
      auto start = read_opened(in, id);
      if (in.valid() && is_sound(start)) found = std::move(start);
      break;
    }
    case kind::used_more:
      found = used_more{id, in.number<std::int64_t>()};
      break;
    case kind::ended: {
      const bool settles = in.number<std::uint8_t>() != 0;
      found = ended{id, settles, in.number<std::int64_t>()};
      break;
    }
    case kind::done:
      found = done{id};
      break;
  }
  return in.valid() ? found : std::nullopt;
}

struct frame {
  std::string_view body;
  bool is_struck_out;
};

// The frame that begins here, if there is one and its checksum is correct.
std::optional<frame> frame_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() - at < frame_head) return std::nullopt;
  const auto head = number_at<std::uint32_t>(bytes, at);
  const std::size_t length = head & ~mark_mask;
  const auto mark = head & mark_mask;
  if ((mark != frame_mark && mark != struck_mark) || bytes.size() - at - frame_head < length)
    return std::nullopt;
  const auto body = bytes.substr(at + frame_head, length);
  if (checksum(body) != number_at<std::uint32_t>(bytes, at + 4)) return std::nullopt;
  return frame{body, mark == struck_mark};
}

// False: its kind is not known to this release.
bool visit_record(const frame& found, const std::function<void(record&&)>& visit) {
  auto what = read_record(found.body);
  if (!what) return false;
  if (!found.is_struck_out) {
    visit(std::move(*what));
    return true;
  }
  const auto* const start = std::get_if<opened>(&*what);
  if (start == nullptr) return false;  // only an `opened` is struck out
  const ended void_of_it{start->id, false, 0};
  visit(std::move(*what));
  visit(void_of_it);
  return true;
}

// Empty: not noted.
std::string read_store(std::string_view bytes, std::vector<damage>& damaged) {
  const auto id = bytes.substr(store_at, store_size);
  const auto sum = number_at<std::uint32_t>(bytes, store_at + store_size);
  const bool is_noted = id.find_first_not_of('\0') != id.npos || sum != 0;
  if (!is_noted) return {};
  if (sum == checksum(id)) {
    return quota::to_hex({reinterpret_cast<const unsigned char*>(id.data()), id.size()});
  }
  damaged.push_back({store_at, "the id of the store cannot be read"});
  return {};
}

std::optional<segment_header> read_header(std::string_view bytes, std::vector<damage>& damaged) {
  const bool ours = bytes.size() >= header_size && bytes.starts_with(magic);
  if (!ours || number_at<std::uint32_t>(bytes, 24) != checksum(bytes.substr(0, 24))) {
    damaged.push_back({0, "it is not a segment of a journal"});
    return std::nullopt;
  }
  const auto written_by = number_at<std::uint32_t>(bytes, 8);
  if (written_by < 1 || written_by > version) {
    damaged.push_back({8, "it was written by another release of Tollgate (version " +
                              std::to_string(written_by) + " of the format)"});
    return std::nullopt;
  }
  return segment_header{number_at<std::uint64_t>(bytes, 16), number_at<std::uint32_t>(bytes, 12),
                        number_at<std::uint64_t>(bytes, synced_at),
                        written_by == 1 ? std::string{} : read_store(bytes, damaged)};
}

}  // namespace

std::string_view encode(const opened& what, std::string& out) {
  begin(out, kind::opened, what.id);
  put(out, what.price_at.price.micro());
  put(out, static_cast<std::uint8_t>(what.price_at.per));
  put(out, static_cast<std::uint8_t>(what.price_at.meter));
  put(out, what.price_at.increment_us);
  put(out, what.used);
  put(out, what.hold_timeout_ms);
  put(out, std::string_view{what.org});
  put(out, std::string_view{what.request_id});
  for (const auto* text : {&what.who.route, &what.who.action, &what.who.model, &what.who.agent,
                           &what.who.conversation, &what.who.key_id}) {
    put(out, std::string_view{*text});
  }
  return finish(out);
}

std::string_view encode(const used_more& what, std::string& out) {
  begin(out, kind::used_more, what.id);
  put(out, what.used);
  return finish(out);
}

std::string_view encode(const ended& what, std::string& out) {
  begin(out, kind::ended, what.id);
  put(out, static_cast<std::uint8_t>(what.settles ? 1 : 0));
  put(out, what.used);
  return finish(out);
}

std::string_view encode(const done& what, std::string& out) {
  begin(out, kind::done, what.id);
  return finish(out);
}

std::uint32_t struck_out(std::uint32_t first_word) {
  return (first_word & ~mark_mask) | struck_mark;
}

std::string encode(const segment_header& header) {
  std::string out{magic};
  put(out, version);
  put(out, header.worker);
  put(out, header.sequence);
  put(out, checksum(out));
  put(out, std::uint32_t{0});
  put(out, header.synced);
  out += encode_store(header.store);
  out.resize(header_size);
  return out;
}

std::string encode_store(std::string_view store) {
  if (store.size() != 2 * store_size) return {};
  std::string out;
  for (std::size_t at = 0; at < store.size(); at += 2) {
    const char* const end = store.data() + at + 2;
    unsigned byte = 0;
    const auto [stopped, error] = std::from_chars(store.data() + at, end, byte, 16);
    if (error != std::errc{} || stopped != end) return {};
    out += static_cast<char>(byte);
  }
  put(out, checksum(out));
  return out;
}

segment_content read_segment(std::string_view bytes, const std::function<void(record&&)>& visit) {
  segment_content content;
  content.header = read_header(bytes, content.damaged);
  if (!content.header) return content;
  constexpr auto nowhere = std::string_view::npos;
  auto bad = nowhere;      // start of bytes that are not a record
  bool only_zeros = true;  // and they are all zeros
  std::size_t at = header_size;
  while (at + frame_head <= bytes.size()) {
    const auto found = frame_at(bytes, at);
    if (!found) {
      const bool zeros = number_at<std::uint64_t>(bytes, at) == 0;
      only_zeros = zeros && (only_zeros || bad == nowhere);
      if (bad == nowhere) bad = at;
      at += 8;
      continue;
    }
    if (bad != nowhere) {
      content.damaged.push_back(
          {bad, "records before offset " + std::to_string(at) + " cannot be read"});
    }
    bad = nowhere;
    if (visit_record(*found, visit)) {
      ++content.records;
    } else {
      content.damaged.push_back({at, "a record of a kind that this release does not know"});
    }
    at += padded(frame_head + found->body.size());
  }
  if (bad != nowhere && bad < content.header->synced) {
    content.damaged.push_back({bad, "records from there on cannot be read"});
  } else if (bad != nowhere && !only_zeros) {
    content.torn_at = bad;
  }
  return content;
}

}  // namespace tollgate::proxy::journal
