#include "routes/media_type.hpp"

#include <gmock/gmock.h>

namespace tollgate::routes {
namespace {

using testing::Optional;

TEST(media_type, of_json_is_what_was_read) {
  EXPECT_THAT(json_media_type("Application/JSON"), Optional(std::string{"application/json"}));
  EXPECT_THAT(json_media_type("application/json; charset=UTF8;"),
              Optional(std::string{"application/json; charset=utf-8"}));
  EXPECT_THAT(json_media_type("application/json; v=1; boundary=b; x=\"charset=utf-7\""),
              Optional(std::string{"application/json"}));
  EXPECT_THAT(json_media_type("application/vnd.x+json ;charset=\"utf-8\""),
              Optional(std::string{"application/vnd.x+json; charset=utf-8"}));
  for (const auto* type :
       {"application/json; charset=utf-7", "application/json; charset*=utf-8''utf-7",
        "application/json; charset*0=utf-7", "application/json; charset*0*=utf-8''utf-7",
        "application/json; charset=utf-8; charset*=utf-8''utf-7",
        "application/json; charset=utf-8; charset=utf-8",
        "application/json; charset=unicode_escape", "application/json; charset=cp037",
        "application/json; charset=\"utf-8", "application/json x", "application/json; charset",
        "application/json; charset=", "application/json, text/json", "application/json; x=1; X=2",
        "", "json", "application/json; charset=utf-16le", "application/json; charset=utf-8_sig",
        "application/json; CHARSET=UTF-7"})
    EXPECT_EQ(json_media_type(type), std::nullopt) << type;
}

TEST(media_type, of_a_form_is_its_boundary) {
  EXPECT_THAT(form_media_type("multipart/form-data; boundary=----WebKitFormBoundaryAbC"),
              Optional(std::string{"multipart/form-data; boundary=----WebKitFormBoundaryAbC"}));
  EXPECT_THAT(form_media_type("Multipart/Form-Data; type=\"text/html\"; start=x; Boundary=\"a b\""),
              Optional(std::string{"multipart/form-data; boundary=\"a b\""}));
  EXPECT_THAT(form_media_type("multipart/form-data; charset=UTF-8; boundary=a:b"),
              Optional(std::string{"multipart/form-data; charset=utf-8; boundary=\"a:b\""}));
  for (const auto* type :
       {"multipart/form-data; boundary=B; charset=utf-7",
        "multipart/form-data; boundary=B; charset=unicode_escape",
        "multipart/form-data; boundary=B; charset=cp037",
        "multipart/form-data; boundary=B; charset*=utf-8''utf-7",
        "multipart/form-data; boundary=B; charset*0=utf-; charset*1=7",
        "multipart/form-data; boundary=B; charset=utf-8; charset=utf-7",
        "multipart/form-data; boundary=B; boundary*=utf-8''C",
        "multipart/form-data; boundary*0=B; boundary*1=C",
        "multipart/form-data; boundary=B; boundary=C", "multipart/form-data; boundary=\"\\B\"",
        "multipart/form-data", "multipart/form-data; boundary=\" B\""})
    EXPECT_EQ(form_media_type(type), std::nullopt) << type;
}

TEST(media_type, of_a_file_keeps_what_says_how_it_sounds) {
  EXPECT_THAT(file_media_type(""), Optional(std::string{}));
  EXPECT_THAT(file_media_type("wav"), Optional(std::string{"wav"}));
  EXPECT_THAT(file_media_type("Audio/WebM;codecs=opus"),
              Optional(std::string{"audio/webm; codecs=opus"}));
  EXPECT_THAT(file_media_type("audio/webm; codecs=\"vp8, opus\"; charset=utf-7"),
              Optional(std::string{"audio/webm; codecs=\"vp8, opus\""}));
  EXPECT_THAT(file_media_type("audio/x; a=\"q\\\"q\\\\\""),
              Optional(std::string{"audio/x; a=\"q\\\"q\\\\\""}));
  for (const auto* type :
       {"audio/wav, audio/mpeg", "audio/L16; rate=8000; rate=16000", "audio/L16; rate*=utf-8''8000",
        "audio/L16; rate", "a/b/c", "audio/\xFF"})
    EXPECT_EQ(file_media_type(type), std::nullopt) << type;
}

TEST(media_type, knows_charsets_in_which_ascii_is_ascii) {
  for (const auto* name : {"utf-8", "UTF8", "us-ascii", "ISO-8859-1", "windows-1252"})
    EXPECT_TRUE(is_ascii_charset(name)) << name;
  for (const auto* name :
       {"", "utf-7", "utf-16", "utf-32", "cp037", "unicode_escape", "rot13", "shift_jis",
        "iso-2022-jp", "hz", "idna", "punycode", "raw_unicode_escape"})
    EXPECT_FALSE(is_ascii_charset(name)) << name;
}

}  // namespace
}  // namespace tollgate::routes
