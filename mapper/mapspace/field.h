// Arithmetic modulo primes near 2^58, and rules of quadrature in it.
//
// k loops in a slot may stand in k! orders. Orders couple the dimensions; they are taken apart by
// a Gauss-Laguerre rule: n nodes and weights with  sum of weight * node^k = k!  for k < 2n (both
// sides are the integral of x^k exp(-x)). At one node a loop is a factor, and dimensions are
// counted one by one. The nodes are the roots of a Laguerre polynomial: irrational numbers, but
// integers modulo a prime over which it splits. One polynomial of degree n in n! primes does.
// For this folder only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace loopscape {

inline constexpr int kFieldBits = 57;     // of every prime in use, at least
inline constexpr int kMostProducts = 64;  // of residues add up to less than the prime times 2^64

// Residues are kept in Montgomery's form; 0 is 0.
__extension__ using Wide = unsigned __int128;

class Field {
 public:
  explicit Field(std::uint64_t prime);

  std::uint64_t prime() const { return prime_; }
  std::uint64_t one() const { return one_; }
  std::uint64_t of(std::uint64_t value) const { return mul(value % prime_, square_); }
  std::uint64_t value_of(std::uint64_t residue) const { return reduce(residue); }
  std::uint64_t add(std::uint64_t a, std::uint64_t b) const {
    const std::uint64_t sum = a + b;  // below 2^63
    return sum >= prime_ ? sum - prime_ : sum;
  }
  std::uint64_t sub(std::uint64_t a, std::uint64_t b) const {
    return a >= b ? a - b : a + prime_ - b;
  }
  std::uint64_t mul(std::uint64_t a, std::uint64_t b) const {
    return reduce(static_cast<Wide>(a) * b);
  }
  // The sum of at most kMostProducts products of residues, not yet reduced.
  std::uint64_t of_products(Wide sum) const { return reduce(sum); }
  std::uint64_t power(std::uint64_t a, std::uint64_t exponent) const;
  std::uint64_t inverse(std::uint64_t a) const { return power(a, prime_ - 2); }

 private:
  std::uint64_t reduce(Wide t) const {
    const std::uint64_t m = static_cast<std::uint64_t>(t) * minus_inverse_;
    const auto r = static_cast<std::uint64_t>((t + static_cast<Wide>(m) * prime_) >> 64);
    return r >= prime_ ? r - prime_ : r;
  }
  std::uint64_t prime_, minus_inverse_, one_, square_;
};

struct Quadrature {
  std::vector<std::uint64_t> node, weight;  // residues
};

struct QuadratureField {
  Field field;
  std::vector<Quadrature> rule;  // one per degree asked for, in that order
};

// The first `count` primes below 2^58, downwards, over which the Laguerre polynomials of all these
// degrees split. `degrees` are ascending, from 1 to kMaxDims / 2 + 1. Fewer: it was stopped.
std::vector<std::shared_ptr<const QuadratureField>> quadrature_fields(
    const std::vector<int>& degrees, std::size_t count, const std::atomic<bool>* stop);

}  // namespace loopscape
