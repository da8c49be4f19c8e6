// A certificate for "localhost" that nobody has signed but itself, in two files.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

namespace tollgate::tests {

class certificate {
 public:
  certificate() {
    char name[] = "/tmp/tollgate-certificate-XXXXXX";
    directory_ = ::mkdtemp(name);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> made{X509_new(), X509_free};
    fill(made.get(), key.get());
    write(key_file(), [&](std::FILE* out) {
      return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    write(file(), [&](std::FILE* out) { return PEM_write_X509(out, made.get()); });
  }
  ~certificate() { std::filesystem::remove_all(directory_); }
  certificate(const certificate&) = delete;

  std::string file() const { return directory_ + "/certificate.pem"; }
  std::string key_file() const { return directory_ + "/key.pem"; }

 private:
  static void fill(X509* made, EVP_PKEY* key) {
    constexpr long day_s = 24 * 60 * 60;
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -day_s);
    X509_gmtime_adj(X509_getm_notAfter(made), day_s);
    X509_set_pubkey(made, key);
    auto* const name = X509_get_subject_name(made);
    const auto* const host = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
    X509_set_issuer_name(made, name);
    auto* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(made, names, -1);
    X509_EXTENSION_free(names);
    if (X509_sign(made, key, EVP_sha256()) == 0) throw std::runtime_error{"cannot sign"};
  }
  template <class Put>
  static void write(const std::string& where, Put put) {
    std::FILE* const out = std::fopen(where.c_str(), "w");
    if (out == nullptr || put(out) != 1) throw std::runtime_error{"cannot write " + where};
    std::fclose(out);
  }

  std::string directory_;
};

}  // namespace tollgate::tests
