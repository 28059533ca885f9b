#include "mapper/mapspace/field.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace loopscape {

Field::Field(std::uint64_t prime) : prime_(prime) {
  std::uint64_t inverse = prime;  // Newton: doubles the bits that are right, five at first
  for (int i = 0; i < 5; ++i) inverse *= 2 - prime * inverse;
  minus_inverse_ = ~inverse + 1;
  const Wide r = (static_cast<Wide>(1) << 64) % prime;
  one_ = static_cast<std::uint64_t>(r);
  square_ = static_cast<std::uint64_t>(r * r % prime);
}

std::uint64_t Field::power(std::uint64_t a, std::uint64_t exponent) const {
  std::uint64_t result = one_;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = mul(result, a);
    a = mul(a, a);
  }
  return result;
}

namespace {

using Polynomial = std::vector<std::uint64_t>;  // residues, constant term first, no leading zero

// Miller and Rabin's test; with these bases it is exact for 64 bits.
bool is_prime(std::uint64_t n) {
  constexpr std::array<std::uint64_t, 12> kBases = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  for (const std::uint64_t small : kBases) {
    if (n % small == 0) return false;
  }
  const Field field(n);
  const std::uint64_t minus_one = n - field.one();
  const int twos = __builtin_ctzll(n - 1);
  for (const std::uint64_t base : kBases) {
    std::uint64_t x = field.power(field.of(base), (n - 1) >> twos);
    bool witness = x != field.one() && x != minus_one;
    for (int i = 1; witness && i < twos; ++i) {
      x = field.mul(x, x);
      witness = x != minus_one;
    }
    if (witness) return false;
  }
  return true;
}

void trim(Polynomial& p) {
  while (!p.empty() && p.back() == 0) p.pop_back();
}

// Monic.
void normalise(Polynomial& p, const Field& field) {
  trim(p);
  if (p.empty()) return;
  const std::uint64_t scale = field.inverse(p.back());
  for (std::uint64_t& c : p) c = field.mul(c, scale);
}

// a modulo the monic m.
void reduce(Polynomial& a, const Polynomial& m, const Field& field) {
  trim(a);
  while (a.size() >= m.size()) {
    const std::uint64_t lead = a.back();
    const std::size_t shift = a.size() - m.size();
    for (std::size_t i = 0; i < m.size(); ++i) {
      a[shift + i] = field.sub(a[shift + i], field.mul(lead, m[i]));
    }
    trim(a);
  }
}

Polynomial product(const Polynomial& a, const Polynomial& b, const Polynomial& m,
                   const Field& field) {
  if (a.empty() || b.empty()) return {};
  Polynomial c(a.size() + b.size() - 1);
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      c[i + j] = field.add(c[i + j], field.mul(a[i], b[j]));
    }
  }
  reduce(c, m, field);
  return c;
}

Polynomial power(Polynomial a, std::uint64_t exponent, const Polynomial& m, const Field& field) {
  Polynomial result = {field.one()};
  reduce(a, m, field);
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = product(result, a, m, field);
    a = product(a, a, m, field);
  }
  return result;
}

Polynomial common_divisor(Polynomial a, Polynomial b, const Field& field) {
  normalise(a, field);
  normalise(b, field);
  while (!b.empty()) {
    reduce(a, b, field);
    std::swap(a, b);
    normalise(b, field);
  }
  return a;
}

// The Laguerre polynomial of this degree, monic: coefficients (-1)^(n-k) C(n, k) n! / k!.
Polynomial laguerre(int degree, const Field& field) {
  Polynomial p(static_cast<std::size_t>(degree) + 1);
  std::uint64_t c = 1;  // below 2^40 for every degree in use
  for (int k = degree; k >= 0; --k) {
    const std::uint64_t residue = field.of(c);
    p[static_cast<std::size_t>(k)] = (degree - k) % 2 == 0 ? residue : field.sub(0, residue);
    const auto up = static_cast<std::uint64_t>(k);
    c = c * up * up / static_cast<std::uint64_t>(degree - k + 1);
  }
  return p;
}

// Roots of a monic polynomial that is a product of different linear factors (Cantor, Zassenhaus).
void roots_of(const Polynomial& p, const Field& field, std::uint64_t shift,
              std::vector<std::uint64_t>& roots) {
  if (p.size() == 2) {
    roots.push_back(field.sub(0, p[0]));
    return;
  }
  for (;; ++shift) {
    Polynomial half = power({field.of(shift), field.one()}, (field.prime() - 1) / 2, p, field);
    if (half.empty()) half.push_back(0);
    half[0] = field.sub(half[0], field.one());
    const Polynomial part = common_divisor(p, half, field);
    if (part.size() <= 1 || part.size() == p.size()) continue;
    Polynomial quotient(p.size() - part.size() + 1);
    Polynomial rest = p;
    for (std::size_t i = quotient.size(); i-- > 0;) {
      quotient[i] = rest[i + part.size() - 1];
      for (std::size_t j = 0; j < part.size(); ++j) {
        rest[i + j] = field.sub(rest[i + j], field.mul(quotient[i], part[j]));
      }
    }
    roots_of(part, field, shift + 1, roots);
    roots_of(quotient, field, shift + 1, roots);
    return;
  }
}

// The weights that make the first n moments right; Gauss: then 2n are.
std::vector<std::uint64_t> weights_of(const std::vector<std::uint64_t>& node, const Field& field) {
  std::vector<std::uint64_t> weights;
  for (const std::uint64_t x : node) {
    Polynomial basis = {field.one()};  // 1 at x, 0 at the other nodes
    std::uint64_t scale = field.one();
    for (const std::uint64_t y : node) {
      if (y == x) continue;
      basis.insert(basis.begin(), 0);
      for (std::size_t i = 0; i + 1 < basis.size(); ++i) {
        basis[i] = field.sub(basis[i], field.mul(y, basis[i + 1]));
      }
      scale = field.mul(scale, field.sub(x, y));
    }
    std::uint64_t weight = 0;
    std::uint64_t factorial = field.one();
    for (std::size_t k = 0; k < basis.size(); ++k) {
      if (k > 0) factorial = field.mul(factorial, field.of(k));
      weight = field.add(weight, field.mul(basis[k], factorial));
    }
    weights.push_back(field.mul(weight, field.inverse(scale)));
  }
  return weights;
}

// False when the polynomial does not split over this field.
bool make_rule(int degree, const Field& field, Quadrature& rule) {
  const Polynomial p = laguerre(degree, field);
  Polynomial x = {0, field.one()};
  reduce(x, p, field);
  if (power({0, field.one()}, field.prime(), p, field) != x) return false;
  rule.node.clear();
  roots_of(p, field, 1, rule.node);
  std::sort(rule.node.begin(), rule.node.end());
  rule.weight = weights_of(rule.node, field);
  return true;
}

constexpr std::uint64_t kFirstCandidate = (std::uint64_t{1} << 58) - 1;

struct Found {
  std::uint64_t next = kFirstCandidate;
  std::vector<std::shared_ptr<const QuadratureField>> fields;
};

// False: stopped.
bool find_next(const std::vector<int>& degrees, Found& found, const std::atomic<bool>* stop) {
  while (stop == nullptr || !stop->load(std::memory_order_relaxed)) {
    const std::uint64_t candidate = found.next;
    found.next -= 2;
    if (!is_prime(candidate)) continue;
    QuadratureField made{Field(candidate), std::vector<Quadrature>(degrees.size())};
    bool splits = true;
    for (std::size_t i = 0; i < degrees.size() && splits; ++i) {
      splits = make_rule(degrees[i], made.field, made.rule[i]);
    }
    if (!splits) continue;
    found.fields.push_back(std::make_shared<const QuadratureField>(std::move(made)));
    return true;
  }
  return false;
}

}  // namespace

std::vector<std::shared_ptr<const QuadratureField>> quadrature_fields(
    const std::vector<int>& degrees, std::size_t count, const std::atomic<bool>* stop) {
  static std::mutex mutex;
  static std::map<std::vector<int>, Found> known;
  const std::lock_guard<std::mutex> lock(mutex);
  Found& found = known[degrees];
  while (found.fields.size() < count && find_next(degrees, found, stop)) {
  }
  const std::size_t known_now = std::min(count, found.fields.size());
  return {found.fields.begin(), found.fields.begin() + static_cast<std::ptrdiff_t>(known_now)};
}

}  // namespace loopscape
