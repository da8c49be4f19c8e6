// Counts the seconds of audio in one body as it passes: decodes the content encoding, finds the
// audio, and meters it. Accepts slices of any size in constant memory. The body is not changed.
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
  // What the message says about its body. It only decides where the tap looks for audio, except for
  // audio without a container, whose bytes do not reveal the format. An upload's type is
  // interpreted as any reader might. A body that is declared as encoded is also read without
  // decoding, since many upstreams ignore the encoding.
  struct body_facts {
    std::string_view content_type, content_encoding;
    bool wants_raw_pcm = false;  // see classified
    bool is_upload = false;      // written by the party that pays by the second
  };
  audio_tap(const audio_settings& settings, const body_facts& facts);
  ~audio_tap();
  audio_tap(const audio_tap&) = delete;

  void write(std::string_view piece);
  // The body has ended, complete or not.
  void finish();

  // The tap needs more of the body: its audio can be measured only when it is complete, or its
  // format is not known yet. Once false, it stays false until the second reading.
  bool needs_all() const;
  // After finish(): the body must be written and finished once more, from its first byte, before
  // its audio is counted by its content.
  bool wants_second_reading() const;
  void begin_second_reading();

  // Never `undecided` after finish(). A body without any audio is `unmeasurable`.
  meters::state status() const;
  // Seconds so far, in microseconds. For unmeasurable audio: its size divided by the bit rate, but
  // at least what was counted.
  quota::usage used() const;
  // For messages: "it is neither audio in a known format nor ...".
  std::string why_unmeasurable() const;
  // The media type of an upload, for the upstream, as the tap interpreted it. Empty if the tap did
  // not interpret it, or the upload has none.
  std::string content_type() const { return content_type_.value_or(""); }
  std::string_view container() const { return decoded_.meter->container(); }
  // What grows with the body: the index of an MP4.
  std::size_t memory() const;

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
    bool is_read = true;  // in this reading
  };
  body_facts facts() const;

  readers::fault fault() const;

  const audio_settings settings_;
  const std::string sent_type_, content_encoding_;
  const bool wants_raw_pcm_, is_upload_;
  const std::optional<std::string> content_type_;  // as the tap interpreted it
  const std::int64_t bit_rate_;
  const bool claims_samples_;  // without a trusted description
  chain decoded_;
  std::unique_ptr<readers::reader> decoder_;
  std::optional<chain> as_sent_;
  bool is_form_as_sent_ = false;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

}  // namespace tollgate::routes
