# Sourced by quickstart.sh and test.sh in the source folder. Installs what the build needs, and builds. Prints what it installs;
# if nothing is missing, it installs nothing and asks no questions.

TORCH_VERSION=2.13.0
APT_PACKAGES=(
  g++ cmake ninja-build
  libcli11-dev nlohmann-json3-dev libpng-dev libjpeg-dev libwebp-dev libgif-dev libtiff-dev libzip-dev liblmdb-dev libssl-dev libgloo-dev libcpp-httplib-dev libgtest-dev
  dataset-fashion-mnist
)

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# at_least MINIMUM VERSION: is VERSION at least MINIMUM?
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# have PACKAGE: is it installed? A tool may come from elsewhere (a newer cmake, for example).
have() {
  case $1 in
    cmake) at_least 3.25 "$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')" ;;
    ninja-build) command -v ninja >/dev/null ;;
    g++) command -v "${CXX:-c++}" >/dev/null ;;
    *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
  esac
}

install_packages() {
  local missing=() package as_root=()
  for package in "$@"; do
    have "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    fail "please install these (names of Debian packages; apt-get was not found): ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "please install, as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "apt-get install ${missing[*]}"
  "${as_root[@]}" apt-get update -q </dev/null >&2 || say "apt-get update failed; continuing with the existing package lists"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "${missing[@]}" </dev/null >&2
}

# Sets TORCH_DIR: as given, the active Python's, or that of a local environment, which is created if necessary.
find_torch() {
  local answer find=(cmake -D HALFSTEP_PYTHON="$(command -v python3)" -P cmake/FindHalfstepTorch.cmake)
  # As a script, the module of the build prints "-- LibTorch 2.13.0 (CPU) in FOLDER" or an error.
  answer=$("${find[@]}" 2>&1) || {
    answer=$(sed -n 's/^ *\(LibTorch .*\)/\1/p' <<<"$answer")
    [ -z "${TORCH_DIR:-}" ] || fail "$answer"
    say "$answer"
    install_torch
    answer=$("${find[@]}" 2>&1) || fail "$answer"
  }
  TORCH_DIR=${answer##* in }
  say "${answer#-- }"
}

# make_venv FOLDER: creates a Python environment.
make_venv() {
  command -v python3 >/dev/null || install_packages python3
  python3 -m venv "$1" >/dev/null 2>&1 || {
    install_packages python3-venv
    rm -rf "$1"
    /usr/bin/python3 -m venv "$1"
  }
}

install_torch() {
  say "pip install torch==$TORCH_VERSION into .venv: pip chooses the build for this machine and downloads
   200 MB (CPU) or 3 GB (CUDA, on most x86 machines). To use another one, set TORCH_DIR."
  make_venv .venv
  .venv/bin/python -m pip install --disable-pip-version-check "torch==$TORCH_VERSION" </dev/null >&2
  install_cuda_headers
}

# The CUDA build depends on packages with CUDA's headers, but not on all of those that NCCL and CUDA graphs include.
install_cuda_headers() {
  local version
  version=$(.venv/bin/python -m pip list --disable-pip-version-check 2>/dev/null |
    sed -n 's/^nvidia-cuda-runtime *\([0-9]*\.[0-9]*\)\..*/\1/p')
  [ -n "$version" ] || return 0
  say "pip install the headers of CUDA $version (nvidia-cuda-crt, nvidia-cuda-cccl) into .venv"
  .venv/bin/python -m pip install --disable-pip-version-check -q \
    "nvidia-cuda-crt==$version.*" "nvidia-cuda-cccl==$version.*" </dev/null >&2 ||
    say "they are not available: without a CUDA toolkit, the build will have neither NCCL nor CUDA graphs"
}

# Prints the number of parallel compilations: one per processor, but 1.5 GB of memory for each.
jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((processors < memory ? processors : memory))
}

# build [TARGET...]: builds these targets, or everything, in build/release, with CONFIGURE_FLAGS.
CONFIGURE_FLAGS=()
build() {
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  say "building in build/release"
  cmake --preset release -D TORCH_DIR="$TORCH_DIR" "${CONFIGURE_FLAGS[@]}" --log-level=WARNING </dev/null >&2
  cmake --build --preset release --parallel "$(jobs)" "${targets[@]}" </dev/null >&2
}

install_packages "${APT_PACKAGES[@]}"
find_torch
