// Which programs the user lets run: a text file with one SHA-256 per line.
//
// `allowed-programs` in $XDG_CONFIG_HOME/fxkit or ~/.config/fxkit, on macOS in ~/Library/Application
// Support/fxkit, on Windows in %APPDATA%\fxkit. What follows a hash in its line is a note. fxkit in
// Python reads and writes the same file.
#pragma once

#include <string>

namespace fxkit::host {

// The path of the file; empty where the user has no such folder.
std::string allowed_programs_file();

// Whether the file lists the hash, 64 hexadecimal digits.
bool program_allowed(const std::string& hash);

// Adds the hash, with a note of one line, if it is not there. Throws fxkit::Error.
void allow_program(const std::string& hash, const std::string& note = {});

}  // namespace fxkit::host
