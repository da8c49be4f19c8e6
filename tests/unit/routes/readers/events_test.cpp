#include "routes/readers/events.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::routes::readers {
namespace {

class listener final : public events {
 public:
  explicit listener(std::size_t wanted) : wanted_{wanted} {}
  std::vector<std::string> heard;

 private:
  void on_event(const event& one) override {
    heard.push_back(std::string{one.name} + "|" + std::string{one.data} +
                    (one.whole ? "" : "|cut"));
  }
  std::size_t data_wanted() const override { return wanted_; }

  std::size_t wanted_;
};

using texts = std::vector<std::string>;

texts read(std::string_view body, std::size_t wanted = 100) {
  texts first;
  for (std::size_t slice = body.size() + 1; slice > 0; --slice) {
    listener one{wanted};
    for (std::size_t at = 0; at < body.size(); at += slice) one.write(body.substr(at, slice));
    one.finish();
    if (slice == body.size() + 1) first = one.heard;
    EXPECT_EQ(one.heard, first) << "in slices of " << slice;
  }
  return first;
}

TEST(events, are_read_as_the_standard_says) {
  EXPECT_EQ(read("data: a\n\nevent: b\ndata:c\n\n"), (texts{"|a", "b|c"}));
  EXPECT_EQ(read("data: a\r\ndata:  b\r\n\r\n"), (texts{"|a\n b"}));
  EXPECT_EQ(read("data: a\rdata: b\r\r"), (texts{"|a\nb"}));
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "data: a\n\n"),
            (texts{"|a"}));
  EXPECT_EQ(read(": a comment\n\nid: 7\nretry: 1\n\n"), texts{});
  EXPECT_EQ(read("data\n\ndata:\n\n"), (texts{"|", "|"}));
  EXPECT_EQ(read("event: a\nevent: b\n\n"), (texts{"b|"}));
  EXPECT_EQ(read("dataa: x\ndat: x\nevents: x\n\n"), texts{});
  EXPECT_EQ(read("event: a\n\ndata: b\n\n"), (texts{"a|", "|b"}));
}

TEST(events, without_an_end_are_events) {
  EXPECT_EQ(read("data: a"), (texts{"|a"}));
  EXPECT_EQ(read("data: a\n"), (texts{"|a"}));
  EXPECT_EQ(read(""), texts{});
}

TEST(events, keep_no_more_than_is_wanted) {
  EXPECT_EQ(read("data: 12345\n\ndata: 1234\n\n", 4), (texts{"|1234|cut", "|1234"}));
  EXPECT_EQ(read("event: " + std::string(200, 'n') + "\n\n"), (texts{std::string(64, 'n') + "|"}));
}

}  // namespace
}  // namespace tollgate::routes::readers
