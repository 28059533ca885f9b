// Sweeps over tables of numbers are compiled for wide registers as well, and chosen from when the
// program is loaded. Sums and comparisons are the same to the last bit: nothing is contracted.
// For this folder only.
#pragma once

#ifdef LOOPSCAPE_CLONES
#define LOOPSCAPE_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define LOOPSCAPE_WIDE
#endif
