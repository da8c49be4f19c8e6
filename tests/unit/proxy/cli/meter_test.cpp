// The output of `tollgate meter`, word for word. The meters have tests of their own; here the audio
// is raw samples.
#include "proxy/cli/meter.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace tollgate::proxy {
namespace {

constexpr const char* configuration = R"(upstreams:
  openai: { url: "https://api.openai.com" }
rates:
  api: { credits: 0.1, per: request }
  stt: { credits: 3, per: minute, meter: request_audio, increment: 1s }
  tts: { credits: 7.5, per: minute, meter: response_audio, increment: 10s }
routes:
  - { name: speech, match: { method: POST, path: /v1/audio/speech }, upstream: openai, action: tts, rate: tts }
)";

// The test runs in a directory of its own, so that files elsewhere cannot affect it.
class meter_command : public ::testing::Test {
 protected:
  meter_command() {
    std::filesystem::create_directories(place_);
    std::filesystem::current_path(place_);
    options_.env = [](const std::string&) { return std::nullopt; };
    options_.pcm = "8000,1,16";
  }
  ~meter_command() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(place_);
  }

  static void file(const std::string& name, const std::string& bytes) {
    const auto folder = std::filesystem::path{name}.parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder);
    std::ofstream{name, std::ios::binary} << bytes;
  }
  static std::string samples(std::size_t count) { return std::string(count * 2, '\0'); }

  std::string outcome(std::vector<std::string> files, const std::string& input = "") {
    options_.files = std::move(files);
    std::istringstream in{input};
    std::ostringstream out, err;
    const int code = run_meter(options_, in, out, err);
    return out.str() + (err.str().empty() ? "" : "stderr: " + err.str()) + "exit " +
           std::to_string(code);
  }

  meter_options options_;

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
  std::filesystem::path place_ =
      std::filesystem::temp_directory_path() / ("tollgate-meter-" + std::to_string(getpid()));
};

TEST_F(meter_command, without_a_configuration_it_says_what_price_it_takes) {
  file("a.pcm", samples(8000));
  file("more.pcm", samples(8000 * 61 + 1));
  EXPECT_EQ(outcome({"a.pcm", "more.pcm"}),
            "file      container  codec    seconds   credits\n"
            "a.pcm     raw        pcm     1.000000  0.083333\n"
            "more.pcm  raw        pcm    61.000125  5.166667\n"
            "\n"
            "tts: 5 credits per minute of response audio, in steps of 1s  (no configuration was "
            "given)\nexit 0");
}

TEST_F(meter_command, the_usual_configuration_is_found_and_its_tts_rate_taken) {
  file("config/tollgate.yaml", configuration);
  EXPECT_EQ(outcome({"-"}, samples(8001)),
            "file  container  codec   seconds  credits\n"
            "-     raw        pcm    1.000125     1.25\n"
            "\n"
            "tts: 7.5 credits per minute of response audio, in steps of 10s  "
            "(config/tollgate.yaml)\nexit 0");
}

TEST_F(meter_command, json_is_a_line_for_each_file) {
  file("other.yaml", configuration);
  file("a.pcm", samples(12000));
  options_.config = "other.yaml";
  options_.rate = "stt";
  options_.json = true;
  EXPECT_EQ(outcome({"a.pcm", "gone.pcm"}),
            R"({"file":"a.pcm","container":"raw","codec":"pcm","seconds":1.500000,)"
            R"("rate":"stt","credits":0.1})"
            "\n"
            R"({"file":"gone.pcm","container":null,"codec":null,)"
            R"("error":"cannot be opened: No such file or directory"})"
            "\nstderr: gone.pcm: cannot be opened: No such file or directory\nexit 1");
}

TEST_F(meter_command, what_is_no_audio_is_said_to_be_none) {
  options_.pcm.clear();
  options_.json = true;
  file("error.json", std::string(10'000, '{'));
  EXPECT_EQ(outcome({"error.json"}), R"({"file":"error.json","container":null,"codec":null,)"
                                     R"("error":"not measurable audio"})"
                                     "\nstderr: error.json: not measurable audio\nexit 1");
  std::filesystem::create_directory("folder");
  EXPECT_EQ(outcome({"folder"}),
            R"({"file":"folder","container":null,"codec":null,"error":"cannot be read"})"
            "\nstderr: folder: cannot be read\nexit 1");
}

TEST_F(meter_command, wrong_arguments_are_explained) {
  file("config/tollgate.yaml", configuration);
  options_.rate = "sttt";
  EXPECT_EQ(outcome({"-"}),
            "stderr: tollgate meter: no such rate: \"sttt\"; did you mean \"stt\"?\nexit 2");
  options_.rate = "api";
  EXPECT_EQ(outcome({"-"}),
            "stderr: tollgate meter: rate \"api\" is per request; audio is priced per minute\n"
            "exit 2");
  options_.rate.clear();
  options_.config = "/nowhere.yaml";
  EXPECT_EQ(outcome({"-"}),
            "stderr: /nowhere.yaml: cannot be opened: No such file or directory\nexit 2");
  options_.config.reset();
  for (const auto* pcm : {"8000", "8000,1", "8000,1,16,", "0,1,16", "8000,1,12", "8000,256,16",
                          "8000,1,72", "8000,1,x", "9999999,1,16"}) {
    options_.pcm = pcm;
    EXPECT_EQ(outcome({"-"}),
              "stderr: tollgate meter: --pcm takes RATE,CHANNELS,BITS, like 24000,1,16\nexit 2")
        << pcm;
  }
}

}  // namespace
}  // namespace tollgate::proxy
