#!/usr/bin/env python3
"""bios_loader.py DISK BOOT.IMG CORE.IMG SECTOR COUNT: puts GRUB for a BIOS onto the file of a disk.

What grub-bios-setup does with a block device: boot.img into the first sector, around the partition table, and core.img into the
bios_grub partition of COUNT sectors at SECTOR; each told where the next part is (include/grub/i386/pc/boot.h in GRUB's sources).
"""
import struct
import sys

SECTOR = 512
KERNEL_SECTOR = 0x5c        # boot.img: where core.img begins
DRIVE_CHECK = 0x66          # boot.img: a jump that trusts the BIOS about the drive; two NOPs do not
TABLE = slice(0x1b8, 0x1fe)  # disk signature and partition table
BLOCK_LIST = 0x1f4          # core.img's first sector: where its second is; its length stands behind, from grub-mkimage


def install(disk, boot, core, sector, count):
    if len(boot) != SECTOR or boot[510:] != b"\x55\xaa":
        raise ValueError("that is no boot.img")
    if not SECTOR < len(core) <= count * SECTOR:
        raise ValueError(f"core.img has {len(core)} octets, its partition {count * SECTOR}")
    disk.seek(0)
    former = disk.read(SECTOR)
    first = bytearray(boot)
    first[TABLE] = former[TABLE]
    struct.pack_into("<Q", first, KERNEL_SECTOR, sector)
    first[DRIVE_CHECK:DRIVE_CHECK + 2] = b"\x90\x90"
    loader = bytearray(core)
    struct.pack_into("<Q", loader, BLOCK_LIST, sector + 1)
    disk.seek(0)
    disk.write(first)
    disk.seek(sector * SECTOR)
    disk.write(loader)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    path, boot, core, sector, count = sys.argv[1:]
    with open(path, "r+b") as disk, open(boot, "rb") as first, open(core, "rb") as second:
        install(disk, first.read(), second.read(), int(sector), int(count))
