#include "routes/readers/multipart.hpp"

#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

outcome read(std::string_view body, std::string boundary = "b") {
  const auto make = [&](sink& to) {
    return std::make_unique<multipart>(boundary, multipart_settings{"file", {"model"}}, to);
  };
  return read_body(make, body);
}
outcome audio(std::string bytes) {
  return {fault::none, std::move(bytes)};
}

std::string part(std::string_view disposition, std::string_view content,
                 std::string_view more_header = "") {
  std::string out = "--b\r\nContent-Disposition: ";
  return out.append(disposition)
      .append("\r\n")
      .append(more_header)
      .append("\r\n")
      .append(content)
      .append("\r\n");
}
std::string file(std::string_view content) {
  return part("form-data; name=\"file\"; filename=\"a.wav\"", content,
              "Content-Type: audio/wav\r\n");
}
const std::string closing = "--b--\r\n";

TEST(boundary, is_read_from_the_content_type) {
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=----WebKitFormBoundaryAbC"),
            "----WebKitFormBoundaryAbC");
  EXPECT_EQ(boundary_of("multipart/form-data; charset=utf-8; Boundary=\"a b:c\" "), "a b:c");
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(70, 'x')),
            std::string(70, 'x'));
  for (const std::string type :
       {"multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=\"a\rb\"", "multipart/form-data boundary=a",
        // Some readers prefer the extended form, some do not know escapes, some stop at a comma.
        "multipart/form-data; boundary=a; boundary*=us-ascii''b",
        "multipart/form-data; boundary=a; boundary*0=b", "multipart/form-data; boundary=\"a\\b\"",
        "multipart/form-data; boundary=a,b", "multipart/form-data; boundary=\"a,b\""})
    EXPECT_EQ(boundary_of(type), std::nullopt) << type;
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(71, 'x')), std::nullopt);
}

TEST(multipart, passes_on_the_part_of_that_name) {
  EXPECT_EQ(read(file("audio") + closing), audio("audio"));
  EXPECT_EQ(read(part("form-data; name=\"x\"", "1") + file("audio") +
                 part("form-data; name=y", "2") + closing),
            audio("audio"));
  EXPECT_EQ(read("\r\n" + file("audio") + "--b-- \t\r\n\r\n"), audio("audio"));
  EXPECT_EQ(read(file("audio") + "--b--"), audio("audio"));
  EXPECT_EQ(read(file("") + closing), audio(""));
}

TEST(multipart, reads_names_however_they_are_written) {
  for (const auto* disposition :
       {"form-data; name=file", "form-data;name=\"file\"",
        "FORM-DATA ; filename=\"a;b\"; NAME=\"file\";",
        "form-data; filename=\"say \\\"hi\\\" \\\\\"; name=\"file\"",
        "form-data; name=\"file\"; filename*=UTF-8''na%C3%AFve.mp3; filename=\"naive.mp3\""})
    EXPECT_EQ(read(part(disposition, "audio") + closing), audio("audio")) << disposition;
}

TEST(multipart, keeps_what_only_looks_like_a_boundary) {
  for (const std::string content : {"\r\n--", "a\r\n-b", "\r", "\r\r\r", "\r\n", "\n", "--a", "x-b",
                                    "a-b\r\n", "\r\r\n-\r\n-", "\n--a", "x\r\n-\r\n--a"})
    EXPECT_EQ(read(file(content) + closing), audio(content)) << testing::PrintToString(content);
  auto bytes = random_bytes(50'000);  // which contain such a short boundary by chance
  for (auto at = bytes.find("--b"); at != bytes.npos; at = bytes.find("--b")) bytes[at] = 'x';
  EXPECT_EQ(read(file(bytes) + closing), audio(bytes));
}

// Django splits a body at any occurrence of the boundary's text, Werkzeug after any line end.
TEST(multipart, refuses_a_boundary_that_is_not_behind_crlf) {
  const std::string inner = "Content-Disposition: form-data; name=\"file\"\r\n\r\nlong";
  const std::string bare_inner = "Content-Disposition: form-data; name=\"file\"\r\rlong";
  for (const auto& body :
       {file("1\r--b\r" + bare_inner + "\r--b--\r"), file("1--b\r\n" + inner),
        file("1\n--b\n" + inner), file("1\r--b\r\n" + inner), file("x--b"), file("-----b-"),
        file("1\r\n\r--b"), part("form-data; name=x; filename=\"--b\"", "1") + file("1"),
        part("form-data; name=x", "1", "X-Note: --b\r\n") + file("1"), "x--b\r\n" + file("1"),
        "\r--b\r\n" + file("1"), file("1") + "--b--\r\nepilogue --b"})
    EXPECT_EQ(read(body + closing).problem, fault::ambiguous) << body;
}

// Django reads a part there, too.
TEST(multipart, refuses_text_around_the_parts) {
  const std::string inner = "Content-Disposition: form-data; name=\"file\"\r\n\r\nlong\r\n";
  for (const auto& body : {inner + file("1") + closing, "\r\n" + inner + file("1") + closing,
                           "x\r\n" + file("1") + closing, "\r\n\r\n" + file("1") + closing,
                           file("1") + closing + inner, file("1") + closing + "x"})
    EXPECT_EQ(read(body).problem, fault::ambiguous) << body;
}

// How a charset, a percent sign or an escape changes the name of a part.
TEST(multipart, refuses_names_that_are_decoded_somewhere) {
  for (const auto* disposition :
       {"form-data; name=\"fi\\le\"", "form-data; name=\"%66ile\"", "form-data; name=\"fi\xFFle\"",
        "form-data; name=\"fi\xE2\x80\x8Ble\"", "form-data; name=\"\xEF\xBD\x86ile\"",
        "form-data; name=\"'file'\"", "form-data; name=\"_charset_\"",
        "form-data; name=\"_Charset_\"", "form-data; x-name=file; name=x",
        "form-data; filename=\"x name=file\"; name=x",
        "form-data; name=x; filename*0=a; filename*1=b", "form-data; name*0=fi; name*1=le; name=x",
        "form-data; name=x; filename*=utf-7''a", "form-data; name=x; filename=a; filename=b",
        "form-data; name=x; size=3",
        // without quotes, some readers end a name at a comma, and some at any character that is not
        // a token
        "form-data; name=file,", "form-data; name=file@x", "form-data; name=fil\xC3\xA9"})
    EXPECT_EQ(read(part(disposition, "2") + file("1") + closing).problem, fault::ambiguous)
        << disposition;
  for (const auto* header :
       {"Content-Type: text/plain; charset=utf-7\r\n",
        "Content-Type: text/plain; charset*0=utf-7\r\n",
        "Content-Type: text/plain; charset=utf-8; charset=utf-7\r\n",
        "Content-Type: text/plain\r\nContent-Type: audio/wav\r\n",
        "Content-Type: message/rfc822\r\n", "Content-Length: 2\r\n", "Content-Length: x\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: -1\r\n"})
    EXPECT_EQ(read(part("form-data; name=x", "2", header) + file("1") + closing).problem,
              fault::ambiguous)
        << header;
  for (const auto* header :
       {"Content-Encoding: gzip\r\n", "Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: 7bit\r\ncontent-transfer-encoding: base64\r\n"})
    EXPECT_EQ(read(part("form-data; name=x", "2", header) + file("1") + closing).problem,
              fault::unsupported)
        << header;
  for (const auto* header : {"Content-Type: text/plain; charset=ISO-8859-1\r\n",
                             "Content-Type: text/plain; charset=\"UTF-8\"\r\n",
                             "Content-Length: 1\r\n", "Content-ID: <x@y>\r\n"})
    EXPECT_EQ(read(part("form-data; name=x", "2", header) + file("1") + closing), audio("1"))
        << header;
}

TEST(multipart, refuses_what_could_be_read_otherwise) {
  const std::string inner = "Content-Disposition: form-data; name=\"x\"\r\n\r\n1";
  for (const auto& body :
       {file("1") + file("2"), file("1") + part("form-data; name=File", "2"),
        part("form-data; name=\"file[]\"", "2") + file("1"), file("1\n--b\r\n" + inner),
        file("1\r\n--bx\r\n2"), file("1\r\n--b \r\n" + inner), file("1\r\n--b-\r\n2"),
        file("1\r\n--b\n" + inner), file("1\r\n--b--x\r\n2"), file("--b\r\n" + inner),
        file("1") + closing + file("2"), file("1") + closing + "\n--b\n",
        part("form-data; name=file; name=x", "1"),
        part("form-data; name=x; name*=UTF-8''file", "1"),
        part("form-data; name=x", "1", "Content-Disposition: form-data; name=file\r\n"),
        part("form-data; name=model", "a") + part("form-data; name=model", "b")})
    EXPECT_EQ(read(body + closing).problem, fault::ambiguous) << body;
}

// PHP begins a name after its blanks; Java's readers decode RFC 2047 in it, and give the parts of a
// nested form the name of the outer part.
TEST(multipart, refuses_what_some_take_for_the_part) {
  for (const auto& other :
       {part("form-data; name=\" file\"", "2"), part("form-data; name=\"file \"", "2"),
        part("form-data; name=\"\tFile\"", "2"),
        part("form-data; name=\"=?utf-8?B?ZmlsZQ==?=\"", "2"),
        part("form-data; name=\"fi=?utf-8?Q?le?=\"", "2"),
        part("form-data; name=x", "2", "Content-Type: multipart/mixed; boundary=c\r\n"),
        part("form-data; name=x", "2", "content-type:\tMultipart/Form-Data\r\n")})
    EXPECT_EQ(read(other + file("1") + closing).problem, fault::ambiguous) << other;
  EXPECT_EQ(read(part("form-data; name=\"a = b?\"", "2") + file("1") + closing), audio("1"));
}

TEST(multipart, finds_faults) {
  const auto problem = [](std::string_view body) { return read(body).problem; };
  EXPECT_EQ(problem(part("form-data; name=x", "1") + closing), fault::missing);
  EXPECT_EQ(problem(closing), fault::missing);
  for (const std::string encoding : {"base64", "quoted-printable", "x", ""})
    EXPECT_EQ(problem(part("form-data; name=file", "1",
                           "Content-Transfer-Encoding: " + encoding + "\r\n")),
              fault::unsupported);
  for (const std::string encoding : {"binary", "8BIT", "7bit"})
    EXPECT_EQ(problem(part("form-data; name=file", "1",
                           "Content-Transfer-Encoding: " + encoding + "\r\n") +
                      closing),
              fault::none);
  for (const auto& body :
       {part("form-data", "1"), part("attachment; name=file", "1"),
        part("form-data; name=\"file", "1"),
        part("form-data; x=\"\\\"; name=file; y=\"; name=z", "1"),
        part("form-data; name=file", "1", " folded\r\n"),
        part("form-data; name=file", "1", "X : y\r\n"),
        part("form-data; name=file", "1", "X: \ry\r\n"), std::string{"--b\r\n\r\n1\r\n"},
        part("form-data; name=file", "1", "X: " + std::string(9'000, 'y') + "\r\n"),
        part("form-data; name=model", std::string(257, 'm'))})
    EXPECT_EQ(problem(body + closing), fault::malformed) << body;
  collected out;
  EXPECT_EQ((multipart{std::nullopt, {"file", {}}, out}.problem()), fault::malformed);
}

TEST(multipart, tells_when_the_body_breaks_off) {
  const auto body = file("audio") + "--b--";
  for (std::size_t length = 0; length < body.size(); ++length)
    EXPECT_EQ(read(body.substr(0, length)).problem, fault::truncated) << length;
  EXPECT_EQ(read(body.substr(0, body.size() - 6)).bytes, "audio");
}

TEST(multipart, keeps_short_fields) {
  collected out;
  multipart form{"b", {"file", {"model", "prompt"}}, out};
  EXPECT_EQ(form.field("model"), nullptr);
  form.write(part("form-data; name=model", "whisper-1") + file("audio") + closing);
  form.finish();
  ASSERT_NE(form.field("model"), nullptr);
  EXPECT_EQ(*form.field("model"), "whisper-1");
  EXPECT_EQ(form.field("prompt"), nullptr);
}

}  // namespace
}  // namespace tollgate::routes::readers
