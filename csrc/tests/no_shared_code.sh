#!/bin/sh
# Fails where the kernels of two instruction sets hold the same function: the linker keeps one of the copies, and it
# may be the one that an older processor cannot run. Takes the build folder.
set -e
ls "$1"/CMakeFiles/sluicegate_kernels.dir/csrc/isa/*.o > /dev/null  # there are some
shared=$(for object in "$1"/CMakeFiles/sluicegate_kernels.dir/csrc/isa/*.o; do
  nm "$object" | awk '$2 ~ /^[WVu]$/ && $3 !~ /^DW[.]ref[.]/ { print $3 }' | sort -u
done | sort | uniq -d | c++filt)
if [ -n "$shared" ]; then
  printf 'compiled for more than one instruction set:\n%s\n' "$shared" >&2
  exit 1
fi
