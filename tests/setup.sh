# Sourced by the scripts that set a machine up: Debian packages, then one CMake preset.

BUILD_PACKAGES="g++ cmake ninja-build ccache nlohmann-json3-dev libboost-dev libtbb-dev libcli11-dev
                libyaml-cpp-dev"
TEST_PACKAGES="python3 catch2 librapidcheck-dev libvalijson-dev libbenchmark-dev
               clang-format-14"
LONG_TEST_PACKAGES="clang-tidy-14"
FUZZ_PACKAGES="clang-14 libclang-rt-14-dev"

say() { printf '\n==> %s\n' "$*"; }

give_up() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# need_packages PACKAGE... installs those that are missing; does nothing when all are there.
need_packages() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    give_up "this is not Debian, so nothing was installed. Install what Debian 12 calls: $*" \
            "Then run me again with --no-install."
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    echo "All packages are installed."
    return
  fi
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif command -v sudo >/dev/null; then
    as_root=sudo
  else
    give_up "these packages are missing and installing them needs root or sudo:$missing"
  fi
  echo "Installing with apt-get:$missing"
  apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
  { $apt update && $apt install -y --no-install-recommends $missing; } ||
    give_up "apt-get could not install:$missing"
}

# configure PRESET [CMAKE_FLAG...] configures build/PRESET, with Ninja where it is installed.
configure() {
  preset=$1
  shift
  if [ ! -f "build/$preset/CMakeCache.txt" ] && command -v ninja >/dev/null; then
    set -- -G Ninja "$@"
  fi
  cmake --preset "$preset" "$@"
}
