#!/usr/bin/env bash
# Made server.img: an 8 MiB disk with an MBR, an ext4 partition with files in it, and a FAT partition. Needs e2fsprogs, dosfstools, mtools and
# fdisk; no root. The image is part of the repository, so that the README's command needs none of them. Its bytes differ from run to run (UUIDs).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/root/etc" "$work/root/var/log" "$work/root/home/ada/mail" "$work/root/srv/files"
printf 'storage-7\n' > "$work/root/etc/hostname"
printf '127.0.0.1 localhost\n198.51.100.7 storage-7.example storage-7\n' > "$work/root/etc/hosts"
awk 'BEGIN { srand(7); for (i = 0; i < 9000; i++) printf "2012-01-19T%02d:%02d:%02dZ storage-7 httpd[%d]: GET /d/%08x 200 %d\n", i/400, i/7%60, i%60, 800+i%9, rand()*4294967295, rand()*1e7 }' \
  > "$work/root/var/log/access.log"
printf 'From: counsel@example\nTo: hosting@example\nDate: Fri, 20 Jan 2012 09:00:00 +0000\nSubject: Preserve all servers\n\nPlease keep every server as it is until a court decides.\n' \
  > "$work/root/home/ada/mail/0001.eml"
head -c 300000 /dev/urandom > "$work/root/srv/files/holiday.bin"
cp "$work/root/srv/files/holiday.bin" "$work/root/srv/files/holiday-copy.bin"

truncate -s 6M "$work/ext4"; mkfs.ext4 -q -F -L storage -d "$work/root" "$work/ext4"
truncate -s 1M "$work/fat"; mkfs.vfat -n BOOT "$work/fat" > /dev/null
printf 'timeout 5\n' > "$work/boot.cfg"; mcopy -i "$work/fat" "$work/boot.cfg" ::

rm -f "$here/server.img"
truncate -s 8M "$here/server.img"
printf '2048,12288,83\n14336,2048,c\n' | sfdisk -q "$here/server.img"
dd if="$work/ext4" of="$here/server.img" bs=512 seek=2048 conv=notrunc status=none
dd if="$work/fat" of="$here/server.img" bs=512 seek=14336 conv=notrunc status=none
