using System.Buffers.Binary;
using System.Globalization;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Sources;

/// <summary>Finds out what a drive hides, by commands that only ask. A drive that does not answer is no failure: the record says so.</summary>
internal static class HiddenSectorReader
{
    /// <summary>Asks a device; only ATA and NVMe drives are asked at all, and those only where no bridge stands between.</summary>
    internal static HiddenSectors Read(SafeFileHandle device, SysfsBlockDevice? sysfs)
    {
        if (sysfs is null)
            return NotTold("The system shows nothing of the device.");
        if (sysfs.PartitionOf is { } disk)
            return NotTold($"It is a partition; what hides is told of the whole disk, {disk}.");
        if (sysfs.NvmeNamespace is { } number)
        {
            return DriveControl.IdentifyNamespace(device, number) is { } answer
                ? FromNvme(answer, DriveControl.IdentifyController(device))
                : NotTold("The drive, or its driver, does not answer Identify.");
        }

        return sysfs.IsAtaDisk ? FromAta(command => DriveControl.Ask(device, command)) : NotTold("It is no ATA or NVMe drive, or a bridge stands before it.");
    }

    /// <summary>What an ATA drive hides, by its answers.</summary>
    internal static HiddenSectors FromAta(Func<AtaCommand, AtaReply?> ask)
    {
        if (ask(AtaCommand.IdentifyDevice) is not { } identity || AtaIdentify.TryParse(identity.Data) is not { } drive)
            return NotTold($"The drive, or its driver, does not answer {AtaCommand.IdentifyDevice.Name}.");
        long? native = NativeSectors(ask, drive, out string? noNative);
        long? factory = FactorySectors(ask, drive, native, out string? noFactory);
        return new HiddenSectors
        {
            Declared = drive.Sectors * drive.SectorSize,
            Native = native * drive.SectorSize,
            HostProtectedArea = (native - drive.Sectors) * drive.SectorSize,
            ConfigurationOverlay = (factory - native) * drive.SectorSize,
            NotTold = noNative is null || noFactory is null ? noNative ?? noFactory : $"{noNative} {noFactory}",
        };
    }

    /// <summary>What an NVMe device holds besides a namespace (NVM Command Set 1.0, 4.1.5.1; NVM Express Base 2.0, figure 275).</summary>
    internal static HiddenSectors FromNvme(ReadOnlySpan<byte> space, byte[]? controller)
    {
        const int Formats = 128;
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(space);
        ulong capacity = BinaryPrimitives.ReadUInt64LittleEndian(space[8..]);
        byte format = space[26];
        // Bits 5 and 6 are the upper bits of the format's number, where there are more than 16.
        int index = (format & 0x0F) | (format >> 1 & 0x30);
        int shift = space[Formats + (4 * index) + 2];
        if (size == 0 || shift is < 9 or > 16 || size > (ulong)(long.MaxValue >> shift) || capacity > size)
            return NotTold("The drive's answer to Identify is that of no namespace.");
        var told = new HiddenSectors { Declared = (long)size << shift, NamespaceCapacity = (long)capacity << shift };
        if (controller is null)
            return told with { NotTold = "The controller does not answer Identify." };
        Int128 total = BinaryPrimitives.ReadInt128LittleEndian(controller.AsSpan(280));
        Int128 unallocated = BinaryPrimitives.ReadInt128LittleEndian(controller.AsSpan(296));
        return total < told.Declared || total > long.MaxValue || unallocated < 0 || unallocated > total
            ? told with { NotTold = "The controller does not tell the capacity of the whole device." }
            : told with { DeviceCapacity = (long)total, Unallocated = (long)unallocated };
    }

    private static long? NativeSectors(Func<AtaCommand, AtaReply?> ask, AtaIdentify drive, out string? why)
    {
        why = null;
        AtaCommand command;
        if (drive.HasProtectedArea)
            command = drive.IsExtended ? AtaCommand.ReadNativeMaxAddressExt : AtaCommand.ReadNativeMaxAddress;
        else if (drive.HasAccessibleMaximum)
            command = AtaCommand.GetNativeMaxAddressExt;
        else
            return drive.Sectors;

        long? native = ask(command) is { } reply ? AtaRegisters.TryParse(reply.Sense)?.Address + 1 : null;
        if (native >= drive.Sectors)
            return native;
        why = native is null
            ? $"The drive, or its driver, does not answer {command.Name}."
            : string.Create(CultureInfo.InvariantCulture, $"The answer to {command.Name}, {native} sectors, is less than what the drive declares.");
        return null;
    }

    private static long? FactorySectors(Func<AtaCommand, AtaReply?> ask, AtaIdentify drive, long? native, out string? why)
    {
        why = null;
        if (!drive.HasConfigurationOverlay)
            return native;
        AtaCommand command = AtaCommand.DeviceConfigurationIdentify;
        long? factory = ask(command) is { } reply ? AtaIdentify.FactorySectors(reply.Data) : null;
        if (factory >= (native ?? drive.Sectors))
            return factory;
        why = factory is null
            ? $"The drive does not answer {command.Name}."
            : string.Create(CultureInfo.InvariantCulture, $"The answer to {command.Name}, {factory} sectors, is less than the drive has.");
        return null;
    }

    private static HiddenSectors NotTold(string why) => new() { NotTold = why };
}
