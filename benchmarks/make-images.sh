#!/usr/bin/env bash
# Makes four file-system images that share content at different places, the last two behind an old 63-sector partition offset.
# Usage (as root, for the mounts): benchmarks/make-images.sh FOLDER
# The content is what this machine has below /usr; about 4.5 GB of images.
set -euo pipefail
out=${1:?usage: make-images.sh FOLDER}
mkdir -p "$out"
mnt=$(mktemp -d)
trap 'mountpoint -q "$mnt" && umount "$mnt"; rmdir "$mnt"' EXIT

fill() { # fill IMAGE TREE...: copies the trees in that order, so that the same files land at different places
  mount -o loop "$1" "$mnt"
  shift
  for tree in "$@"; do
    mkdir -p "$mnt$(dirname "$tree")"
    cp -a "$tree" "$mnt$(dirname "$tree")/"
  done
  umount "$mnt"
}
shift_63() { # shift_63 FROM TO: an MBR disk whose first partition begins at sector 63
  truncate -s $(( 63 * 512 )) "$2"
  dd if="$1" of="$2" bs=512 seek=63 conv=notrunc,sparse status=none
  truncate -s $(( $(stat -c %s "$1") + 63 * 512 )) "$2"
  printf '63,,83\n' | sfdisk -q --force "$2" >/dev/null 2>&1
  rm "$1"
}

truncate -s 1400M "$out/a.img"; mkfs.ext4 -q -F "$out/a.img"
fill "$out/a.img" /usr/share/dotnet /usr/share/doc /usr/share/man
truncate -s 1300M "$out/b.img"; mkfs.ext4 -q -F -b 1024 "$out/b.img"
fill "$out/b.img" /usr/share/man /usr/lib/go-1.19 /usr/lib/gcc /usr/share/doc /usr/share/fpcsrc
truncate -s 1300M "$out/c.raw"; mkfs.xfs -q -f "$out/c.raw"
fill "$out/c.raw" /usr/lib/gcc /usr/share/dotnet /usr/share/locale
shift_63 "$out/c.raw" "$out/c.img"
truncate -s 1300M "$out/d.raw"; mkfs.ext4 -q -F "$out/d.raw"
fill "$out/d.raw" /usr/lib/go-1.19 /usr/share/locale /usr/share/fpcsrc /usr/lib/gcc /usr/share/man
shift_63 "$out/d.raw" "$out/d.img"
ls -ls "$out"
