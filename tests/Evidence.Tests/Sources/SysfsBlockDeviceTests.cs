using System.Text;
using Evidence.Platform;
using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Sources;

/// <summary>Devices that are not at hand, as trees of the files that the kernel shows for them.</summary>
public sealed class SysfsBlockDeviceTests : IDisposable
{
    private static readonly DeviceNumber Number = new(8, 1);

    private readonly TemporaryDirectory root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    [Trait("Requirement", "SRC-1")]
    public void An_ATA_disk()
    {
        string disk = Device("pci0/ata1/block/sda", "8:0");
        Write(disk, "device/vendor", "ATA     \n");
        Write(disk, "device/model", "WDC WD40EFRX-68N\n");
        Write(disk, "device/rev", "0A82\n");
        Write(disk, "device/wwid", "t10.ATA     WDC WD40EFRX-68N32N0   WD-WCC7K0000001 \n");
        Write(disk, "device/vpd_pg80", "\0\u0080\0\u0014     WD-WCC7K0000001", Encoding.Latin1);
        Assert.Equal(
            new DeviceIdentity
            {
                KernelName = "sda",
                Number = "8:0",
                Vendor = "ATA",
                Model = "WDC WD40EFRX-68N",
                Serial = "WD-WCC7K0000001",
                Firmware = "0A82",
                Wwid = "t10.ATA     WDC WD40EFRX-68N32N0   WD-WCC7K0000001",
            },
            Describe(new DeviceNumber(8, 0)));
    }

    [Fact]
    [Trait("Requirement", "SRC-1")]
    public void A_partition_of_an_NVMe_disk()
    {
        string disk = Device("pci0/nvme/nvme0/nvme0n1", "259:0");
        Write(disk, "device/model", "Samsung SSD 980 PRO 1TB                 \n");
        Write(disk, "device/serial", "S5GXNX0T000001      \n");
        Write(disk, "device/firmware_rev", "5B2QGXA7\n");
        Write(disk, "wwid", "eui.002538ba11b00001\n");
        Write(Device("pci0/nvme/nvme0/nvme0n1/nvme0n1p2", "8:1"), "partition", "2\n");
        Assert.Equal(
            new DeviceIdentity
            {
                KernelName = "nvme0n1p2",
                Number = "8:1",
                PartitionOf = "nvme0n1",
                Model = "Samsung SSD 980 PRO 1TB",
                Serial = "S5GXNX0T000001",
                Firmware = "5B2QGXA7",
                Wwid = "eui.002538ba11b00001",
            },
            Describe(Number));
    }

    [Fact]
    [Trait("Requirement", "SRC-1")]
    public void A_memory_card_and_a_virtual_disk()
    {
        string card = Device("mmc0/block/mmcblk0", "179:0");
        Write(card, "device/name", "SD32G\n");
        Write(card, "device/serial", "0x12345678\n");
        Write(card, "device/fwrev", "0x1\n");
        Write(Device("virtio1/block/vda", "254:0"), "serial", "disk-of-vm-7");
        DeviceIdentity identity = Describe(new DeviceNumber(179, 0));
        Assert.Equal(("SD32G", "0x12345678", "0x1"), (identity.Model, identity.Serial, identity.Firmware));
        Assert.Equal("disk-of-vm-7", Describe(new DeviceNumber(254, 0)).Serial);
    }

    [Fact]
    [Trait("Requirement", "SRC-2")]
    public void What_is_built_on_a_disk_is_found_through_its_partitions()
    {
        string disk = Device("pci0/block/sda", "8:0");
        string partition = Device("pci0/block/sda/sda1", "8:1");
        Write(partition, "partition", "1\n");
        string unlocked = Device("virtual/block/dm-0", "253:0");
        string volume = Device("virtual/block/dm-1", "253:1");
        Write(volume, "dm/name", "vg-root\n");
        Write(volume, "dm/uuid", "LVM-abc\n");
        Link(Path.Combine(partition, "holders/dm-0"), unlocked);
        Link(Path.Combine(unlocked, "holders/dm-1"), volume);
        Directory.CreateDirectory(Path.Combine(disk, "queue"));

        SysfsBlockDevice found = SysfsBlockDevice.Find(new DeviceNumber(8, 0), root.Path)!;
        Assert.Equal("sda sda1 dm-0 dm-1", string.Join(' ', found.WithDependents().Select(device => device.Name)));
        Assert.Empty(found.Holders());
        DeviceIdentity identity = Describe(new DeviceNumber(253, 1));
        Assert.Equal(("vg-root", "LVM-abc"), (identity.MapperName, identity.MapperUuid));
    }

    [Fact]
    [Trait("Requirement", "SRC-2")]
    public void The_devices_of_a_btrfs_file_system_are_one_group()
    {
        Link(root.At("fs/btrfs/0d3f/devices/sda"), Device("pci0/block/sda", "8:0"));
        Link(root.At("fs/btrfs/0d3f/devices/sdb"), Device("pci0/block/sdb", "8:16"));
        Directory.CreateDirectory(root.At("fs/btrfs/features"));
        SysfsBlockDevice[] group = Assert.Single(SysfsBlockDevice.BtrfsGroups(root.Path));
        Assert.Equal("8:0 8:16", string.Join(' ', group.Select(device => device.Number).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Where_sysfs_shows_nothing_nothing_is_known()
    {
        Assert.Null(SysfsBlockDevice.Find(Number, root.Path));
        Assert.Equal(new DeviceIdentity { Number = "8:1" }, BlockDevice.Describe(Number, null));
    }

    private DeviceIdentity Describe(DeviceNumber number) => BlockDevice.Describe(number, SysfsBlockDevice.Find(number, root.Path));

    private string Device(string path, string number)
    {
        string directory = root.At("devices/" + path);
        Write(directory, "dev", number + "\n");
        Link(root.At("dev/block/" + number), directory);
        return directory;
    }

    private static void Write(string directory, string attribute, string text, Encoding? encoding = null)
    {
        string path = Path.Combine(directory, attribute);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text, encoding ?? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    private static void Link(string link, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        Directory.CreateSymbolicLink(link, target);
    }
}
