// How the process asks the system for memory.
#pragma once

namespace loopscape::cli {

// A search writes some 100 MB of tables within a second, so that a fifth of its time may go into
// the first touch of each small page. From here on the heap grows by huge ones where the system has
// them, and is kept. Only a wish: where it cannot be had, nothing changes.
void prefer_huge_pages();

}  // namespace loopscape::cli
