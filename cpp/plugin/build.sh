#!/bin/sh
# Builds the plug-in: VST3, LV2, standalone program and tests.
#
#   build.sh FOLDER [option of CMake]...
#
# On Debian, as root, installs what is missing; otherwise says in one line what that is. JUCE_DIR or
# FXKIT_JUCE in the environment name another JUCE than Debian's. JOBS: compilers at once (2).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=$1
shift

if command -v dpkg-query >/dev/null; then
  needs="cmake ninja-build g++ pkg-config lv2-dev libjack-jackd2-dev libasound2-dev libfreetype-dev
         libx11-dev libxext-dev libxinerama-dev libxrandr-dev libxcursor-dev libxcomposite-dev
         libxrender-dev"
  [ -n "${JUCE_DIR:-}${FXKIT_JUCE:-}" ] || needs="$needs juce-modules-source juce-tools"
  missing=
  for package in $needs; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done
  if [ -n "$missing" ] && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    echo "installing$missing"
    # shellcheck disable=SC2086 # a list of words
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } >/dev/null
  elif [ -n "$missing" ]; then
    echo "the plug-in needs: sudo apt-get install$missing" >&2
    exit 2
  fi
else
  for tool in cmake ninja; do
    command -v $tool >/dev/null || { echo "the plug-in needs $tool" >&2; exit 2; }
  done
fi

[ -z "${JUCE_DIR:-}" ] || set -- "-DJUCE_DIR=$JUCE_DIR" "$@"
[ -z "${FXKIT_JUCE:-}" ] || set -- "-DFXKIT_JUCE=$FXKIT_JUCE" "$@"
if command -v ccache >/dev/null; then
  set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache "$@"
fi
mkdir -p "$folder"
cmake -G Ninja -S "$here" -B "$folder" -DCMAKE_BUILD_TYPE=Release "$@" >"$folder/configure.log" ||
  { tail -n 20 "$folder/configure.log" >&2; exit 1; }
# The presets of the LV2 are the demo models by their numbers, not what this user happens to have.
FXKIT_MODELS="$here/models" cmake --build "$folder" --parallel "${JOBS:-2}"

artefacts="$folder/fxkit_artefacts/Release"
if [ "$(uname)" = Linux ]; then
  strip --strip-unneeded "$artefacts"/VST3/fxkit.vst3/Contents/*/fxkit.so \
    "$artefacts/LV2/fxkit.lv2/libfxkit.so" "$artefacts/Standalone/fxkit"
fi
