#!/bin/sh
# Installs what build.sh built for this user: plug-ins, standalone program, demo models.
#
#   install.sh FOLDER
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
from="$1/fxkit_artefacts/Release"

if [ "$(uname)" = Darwin ]; then
  vst3="$HOME/Library/Audio/Plug-Ins/VST3" lv2="$HOME/Library/Audio/Plug-Ins/LV2"
  models="$HOME/Library/Application Support/fxkit/models"
  program="$from/Standalone/fxkit.app/Contents/MacOS/fxkit"
else
  vst3="$HOME/.vst3" lv2="$HOME/.lv2"
  models="${XDG_DATA_HOME:-$HOME/.local/share}/fxkit/models"
  program="$from/Standalone/fxkit"
fi
bin="$HOME/.local/bin"
mkdir -p "$vst3" "$lv2" "$bin" "$models"

# A host may have the old files open: they are replaced, not written into.
replace() {
  rm -rf "$2.new"
  cp -R "$1" "$2.new"
  rm -rf "$2"
  mv "$2.new" "$2"
  echo "installed $2"
}
replace "$from/VST3/fxkit.vst3" "$vst3/fxkit.vst3"
replace "$from/LV2/fxkit.lv2" "$lv2/fxkit.lv2"
# Not named fxkit: that is the command line of the Python package.
replace "$program" "$bin/fxkit-standalone"
for model in "$here"/models/*.fxkit; do
  [ ! -e "$model" ] || cp "$model" "$models/"
done
echo "installed the demo models in $models"
