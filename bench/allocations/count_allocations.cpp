// Counts the allocations of a program that preloads it (LD_PRELOAD), in a file that other processes
// can map: ALLOCATION_COUNTS names it. Each call is passed on to the program's own allocator.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

struct counts {
  std::atomic<std::uint64_t> allocations, bytes;
};

counts before_the_file;
std::atomic<counts*> current{&before_the_file};

__attribute__((constructor)) void open_file() {
  const char* path = std::getenv("ALLOCATION_COUNTS");
  const int file = path != nullptr ? ::open(path, O_RDWR) : -1;
  if (file < 0) return;
  void* const mapped = ::mmap(nullptr, sizeof(counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped != MAP_FAILED) current = static_cast<counts*>(mapped);
}

void count(std::size_t bytes) {
  auto& to = *current.load(std::memory_order_relaxed);
  to.allocations.fetch_add(1, std::memory_order_relaxed);
  to.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

// The next allocator. Looked up on first use: libraries allocate before constructors run.
template <class Function>
class next {
 public:
  constexpr explicit next(const char* name) : name_{name} {}
  Function* operator()() {
    auto* function = found_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
      found_.store(function, std::memory_order_relaxed);
    }
    return function;
  }

 private:
  const char* name_;
  std::atomic<Function*> found_{nullptr};
};

constinit next<void*(std::size_t)> next_malloc{"malloc"};
constinit next<void*(std::size_t, std::size_t)> next_calloc{"calloc"};
constinit next<void*(void*, std::size_t)> next_realloc{"realloc"};
constinit next<void*(std::size_t, std::size_t)> next_aligned_alloc{"aligned_alloc"};
constinit next<int(void**, std::size_t, std::size_t)> next_posix_memalign{"posix_memalign"};

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
  count(bytes);
  return next_malloc()(bytes);
}

void* calloc(std::size_t number, std::size_t bytes) {
  count(number * bytes);
  return next_calloc()(number, bytes);
}

void* realloc(void* memory, std::size_t bytes) {
  count(bytes);
  return next_realloc()(memory, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count(bytes);
  return next_aligned_alloc()(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  count(bytes);
  return next_posix_memalign()(memory, alignment, bytes);
}

}  // extern "C"

// The matching operator delete belongs to the next allocator, which accepts what its malloc()
// returned.
void* operator new(std::size_t bytes) {
  return or_throw(malloc(bytes));
}

void* operator new[](std::size_t bytes) {
  return or_throw(malloc(bytes));
}

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return malloc(bytes);
}

void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return malloc(bytes);
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(aligned_alloc(static_cast<std::size_t>(alignment), bytes));
}

void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return or_throw(aligned_alloc(static_cast<std::size_t>(alignment), bytes));
}
