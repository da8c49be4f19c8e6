#include "proxy/app/hardening.hpp"

#include <cstdlib>
#include <string_view>

#include <sys/prctl.h>

#include "proxy/app/system_calls.hpp"

namespace tollgate::proxy {

namespace {

// Sanitizers and valgrind make system calls of their own.
std::string_view tool_around_us() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "a sanitizer";
#else
  const char* const preloaded = std::getenv("LD_PRELOAD");
  const bool valgrind =
      preloaded != nullptr && std::string_view{preloaded}.find("/vgpreload_") != std::string::npos;
  return valgrind ? "valgrind" : "";
#endif
}

}  // namespace

std::string give_up_privileges(const config::hardening_settings& settings) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!settings.core_dumps) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (!settings.system_call_filter) return "";
  if (const auto tool = tool_around_us(); !tool.empty()) {
    return "it runs under " + std::string{tool};
  }
  return filter_system_calls();
}

}  // namespace tollgate::proxy
