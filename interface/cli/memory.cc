#include "interface/cli/memory.h"

#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace loopscape::cli {

void prefer_huge_pages() {
#ifdef __GLIBC__
  constexpr int kMiB = 1 << 20, kReserved = 256 * kMiB, kFurther = 16 * kMiB, kPage = 2 * kMiB;
  mallopt(M_MMAP_THRESHOLD, 2 * kFurther);  // blocks up to this size come from the heap
  mallopt(M_TRIM_THRESHOLD, kReserved);
  // Only addresses, as long as nobody writes to them.
  mallopt(M_TOP_PAD, kReserved);
  void* volatile grown = std::malloc(kMiB);  // or neither is called
  std::free(grown);
  mallopt(M_TOP_PAD, kFurther);
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0)) / kPage * kPage;
  madvise(reinterpret_cast<void*>(end - kReserved + kPage), kReserved - kPage, MADV_HUGEPAGE);
#endif
}

}  // namespace loopscape::cli
