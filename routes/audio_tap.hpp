// Counts the seconds of audio in one body while it passes: undoes its content encoding, finds the
// audio in it, and meters that. Any slices, constant memory; the body itself is not touched.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quota/rate_card.hpp"
#include "routes/meters/meter.hpp"
#include "routes/readers/reader.hpp"
#include "routes/settings.hpp"

namespace tollgate::routes {

class audio_tap {
 public:
  // What the message says about its body. It decides where the audio is looked for, and nothing
  // else, but for audio without a container, of which the bytes say nothing. An upload's type is
  // read as any of its readers might, and its body as it is sent, too, where it says that it is
  // encoded: many upstreams do not look at that.
  struct body_facts {
    std::string_view content_type, content_encoding;
    bool wants_raw_pcm = false;  // see classified
    bool is_upload = false;      // who pays by the second wrote it
  };
  audio_tap(const audio_settings& settings, const body_facts& facts);
  ~audio_tap();
  audio_tap(const audio_tap&) = delete;

  void write(std::string_view piece);
  // The body has ended, where it should or not.
  void finish();

  // What has come does not suffice: the audio can be measured only when all of the body has, or it
  // is not even clear yet what it is. Once false, it stays so, until the second reading.
  bool needs_all() const;
  // After finish(): the body has to be written once more, from its first byte on, and finished,
  // before its audio counts by what is in it.
  bool wants_second_reading() const;
  void begin_second_reading();

  // `undecided` never after finish(). A body without any audio in it is `unmeasurable`.
  meters::state status() const;
  // Seconds so far, in microseconds. Of what is unmeasurable: by its size at the bit rate, and no
  // less than what was counted in it.
  quota::usage used() const;
  // For people: "it is neither audio in a known format nor ...".
  std::string why_unmeasurable() const;
  // What the upstream is told of an upload: the reading that was made of its type. Empty where none
  // was made, or it has none.
  std::string content_type() const { return content_type_.value_or(""); }
  std::string_view container() const { return decoded_.meter->container(); }

 private:
  struct chain {
    chain(const audio_settings& settings, const body_facts& facts);
    meters::duration found() const;
    bool has_begun_form() const;
    bool hides_audio() const;
    bool has_missed_some() const;
    bool wants_second_reading() const;
    void begin_second_reading(const audio_settings& settings, const body_facts& facts);
    bool fits_file_name() const;

    const std::unique_ptr<meters::meter> meter;
    readers::into_meter into_meter;
    std::unique_ptr<readers::reader> reader;
    bool is_read = true;  // this time
  };
  body_facts facts() const;

  readers::fault fault() const;

  const audio_settings settings_;
  const std::string sent_type_, content_encoding_;
  const bool wants_raw_pcm_, is_upload_;
  const std::optional<std::string> content_type_;  // as it was read
  const std::int64_t bit_rate_;
  const bool claims_samples_;  // and nobody whose word counts says what they are
  chain decoded_;
  std::unique_ptr<readers::reader> decoder_;
  std::optional<chain> as_sent_;
  bool is_form_as_sent_ = false;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

}  // namespace tollgate::routes
