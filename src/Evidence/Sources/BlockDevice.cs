using System.Runtime.InteropServices;
using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>A disk, a partition, or any other block device.</summary>
public sealed class BlockDevice : Source
{
    /// <summary>The size of direct reads, in bytes, where the kernel does not tell what the device takes in one.</summary>
    private const int SmallestRequest = 64 << 10;

    private readonly SourceFile file;
    private readonly long length;
    private readonly int requestSize;

    private BlockDevice(string path, SourceFile file)
    {
        this.file = file;
        length = BlockDeviceControl.Size(file.Handle) ?? throw SourceOpener.Failure(path, Marshal.GetLastPInvokeError());
        DeviceNumber number = file.Status.Device;
        SysfsBlockDevice? sysfs = SysfsBlockDevice.Find(number);
        Identity = new SourceIdentity
        {
            Kind = SourceKind.BlockDevice,
            Name = path,
            Length = length,
            LogicalSectorSize = BlockDeviceControl.LogicalSectorSize(file.Handle),
            PhysicalSectorSize = BlockDeviceControl.PhysicalSectorSize(file.Handle),
            Device = Describe(number, sysfs) with
            {
                IsReadOnly = BlockDeviceControl.IsReadOnly(file.Handle),
                HiddenSectors = HiddenSectorReader.Read(file.Handle, sysfs),
            },
            Usage = sysfs is null ? null : DeviceUsageReader.Read(sysfs),
        };
        requestSize = sysfs?.LargestRequest() ?? SmallestRequest;
        file.AdviseSequential();
    }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length => length;

    /// <inheritdoc/>
    public override bool IsDirect => file.IsDirect;

    /// <inheritdoc/>
    public override int ErrorGranularity => file.ErrorGranularity;

    /// <inheritdoc/>
    public override int PreferredReadSize => IsDirect ? requestSize : base.PreferredReadSize;

    /// <summary>Opens a block device.</summary>
    /// <param name="path">The device's node, or a link to it.</param>
    /// <param name="directIO">See <see cref="SourceOptions.DirectIO"/>.</param>
    /// <exception cref="EvidenceException">It is missing, may not be read, or is no block device.</exception>
    public static BlockDevice Open(string path, bool? directIO = null)
    {
        path = Path.GetFullPath(path);
        SourceFile opened = SourceFile.Open(path, FileType.BlockDevice, directIO);
        try
        {
            return new BlockDevice(path, opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void EnsureUnchanged()
    {
        // A device that was taken away has no size, or will not tell it.
        long now = BlockDeviceControl.Size(file.Handle) ?? 0;
        if (now != length)
        {
            throw new SourceChangedException(
                Identity.Name, now < length ? SourceChange.Shorter : SourceChange.Longer, length, now);
        }
    }

    internal static DeviceIdentity Describe(DeviceNumber number, SysfsBlockDevice? sysfs) => new()
    {
        Number = number.ToString(),
        KernelName = sysfs?.Name,
        PartitionOf = sysfs?.PartitionOf,
        Vendor = sysfs?.Attribute("device/vendor"),
        Model = sysfs?.Attribute("device/model", "device/name"),
        Serial = sysfs?.Attribute("device/serial", "serial") ?? sysfs?.UnitSerialNumber(),
        Firmware = sysfs?.Attribute("device/firmware_rev", "device/fwrev", "device/rev"),
        Wwid = sysfs?.Attribute("device/wwid", "wwid"),
        BackingFile = sysfs?.Attribute("loop/backing_file"),
        MapperName = sysfs?.Attribute("dm/name"),
        MapperUuid = sysfs?.Attribute("dm/uuid"),
    };

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        try
        {
            return file.Read(offset, buffer);
        }
        catch (SourceReadException)
        {
            // A sector that fails and a disk that was pulled out give the same error number; the size tells them apart.
            EnsureUnchanged();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        file.Dispose();
        base.Dispose(disposing);
    }
}
