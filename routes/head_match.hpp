// Whether the head of a request matches a route: all conditions except those on the JSON body.
#pragma once

#include <string>

#include "routes/compiled_route.hpp"

namespace tollgate::routes {

struct head_match {
  enum class result : std::uint8_t {
    fits,
    misses,
    misses_content_type,  // everything else matches
    ambiguous,            // a deciding value cannot be read with certainty: 400
  };
  result is = result::misses;
  path_fit path = path_fit::none;
  path_pattern::captures captured;
  std::string text;  // the reason, if ambiguous; if it misses, for `explain` only
};

class head_matcher {
 public:
  // `explain`: give the reason if a route does not match.
  head_matcher(const request_view& request, const clean_target& target, bool explain)
      : request_{request}, target_{target}, path_{target.path}, explain_{explain} {}

  head_match match(const route::compiled& patterns) const;
  // Host and path alone.
  bool fits_endpoint(const route::compiled& patterns) const;
  const path_segments& path() const { return path_; }

 private:
  template <class Text>
  head_match miss(Text text) const;
  template <class What>
  head_match test(What what, const reading& value, const std::vector<glob>& wanted) const;

  const request_view& request_;
  const clean_target& target_;
  path_segments path_;
  bool explain_;
};

// `json /model is "gpt-5", not gpt-4*`: for `explain`.
std::string why_missed(const std::string& what, const reading& value,
                       const std::vector<glob>& wanted);
// Why a reading cannot be compared: the end of a sentence.
std::string why_ambiguous(const std::string& what, const reading& value);

}  // namespace tollgate::routes
