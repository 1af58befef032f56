using System.Text.Json.Nodes;
using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>What the system says of the medium that a folder is on. What it does not tell, or what is no disk's, is null.</summary>
/// <param name="Device">The number of the file system's device, <c>MAJ:MIN</c>.</param>
/// <param name="FileSystem">The file system's type.</param>
/// <param name="Source">What is mounted: a device's path, a server's address.</param>
/// <param name="Vendor">Who made the disk.</param>
/// <param name="Model">Its model.</param>
/// <param name="Serial">Its serial number.</param>
public sealed record MediumIdentity(string Device, string? FileSystem, string? Source, string? Vendor, string? Model, string? Serial)
{
    /// <summary>No text of a device, or of a server, is longer in what is signed.</summary>
    private const int LongestText = 200;

    /// <summary>Asks for the medium that a folder is on.</summary>
    /// <exception cref="EvidenceException">The folder cannot be asked about.</exception>
    public static MediumIdentity Of(string folder)
    {
        DeviceNumber number = FolderIdentity.Get(folder).Device;
        MountTable.Entry? mount = null;
        foreach (MountTable.Entry entry in MountTable.ParseMounts(Sysfs.Lines("/proc/self/mountinfo") ?? []))
        {
            if (string.Equals(entry.Number, number.ToString(), StringComparison.Ordinal))
                mount = entry;
        }

        SysfsBlockDevice? disk = SysfsBlockDevice.Find(number);
        return new MediumIdentity(
            number.ToString(), Bounded(mount?.FileSystem), Bounded(mount?.Source), Bounded(disk?.Attribute("device/vendor")), Bounded(disk?.Attribute("device/model", "device/name")),
            Bounded(disk?.Attribute("device/serial", "serial") ?? disk?.UnitSerialNumber()));
    }

    internal JsonObject ToJson()
    {
        var json = new JsonObject { ["device"] = Device };
        foreach ((string name, string? value) in (ReadOnlySpan<(string, string?)>)
            [("fileSystem", FileSystem), ("source", Source), ("vendor", Vendor), ("model", Model), ("serial", Serial)])
        {
            if (value is not null)
                json[name] = value;
        }

        return json;
    }

    private static string? Bounded(string? text) => text is { Length: > LongestText } ? text[..LongestText] : text;
}
