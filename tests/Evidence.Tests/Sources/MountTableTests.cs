using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Sources;

public sealed class MountTableTests
{
    [Fact]
    public void Mounts_are_parsed_with_and_without_tags()
    {
        string[] lines =
        [
            @"36 35 98:0 /mnt1 /mnt/two\040words rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
            @"37 35 0:41 /@ / ro,relatime shared:1 master:2 - btrfs /dev/sda2 ro,space_cache",
            @"38 35 0:5 / /dev rw - devtmpfs devtmpfs rw",
            @"39 35 7:0 / /back\134slash ro - ext4 /dev/loop0 rw",
        ];
        Assert.Equal(
            [
                new("98:0", "/dev/root", "/mnt/two words", "ext3", IsReadOnly: false),
                new("0:41", "/dev/sda2", "/", "btrfs", IsReadOnly: true),
                new("0:5", "devtmpfs", "/dev", "devtmpfs", IsReadOnly: false),
                // Mounted read-only here, while the file system itself may still be written.
                new("7:0", "/dev/loop0", @"/back\slash", "ext4", IsReadOnly: false),
            ],
            MountTable.ParseMounts(lines));
    }

    [Fact]
    public void Swap_areas_are_parsed()
    {
        string[] lines = ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority", "/dev/dm-1                               partition\t976\t0\t-2"];
        Assert.Equal("/dev/dm-1", Assert.Single(MountTable.ParseSwaps(lines)));
    }

    [Fact]
    public void The_running_system_parses() => Assert.NotEmpty(MountTable.ParseMounts(File.ReadLines("/proc/self/mountinfo")));
}
