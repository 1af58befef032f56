using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Sources;
using Evidence.Sources.Nbd;

namespace Evidence.Acquisition;

/// <summary>A source's identity as it stands in a manifest (<c>docs/format/manifest.md</c>).</summary>
internal static class SourceDescription
{
    internal static JsonObject Encode(SourceIdentity source)
    {
        var json = new JsonObject { ["kind"] = KindOf(source.Kind), ["name"] = source.Name };
        Add(json, "format", source.Format);
        Add(json, "sectorSize", source.LogicalSectorSize);
        Add(json, "physicalSectorSize", source.PhysicalSectorSize);
        if (source.Modified is { } modified)
            json["modified"] = Timestamps.Format(modified);
        Add(json, "inode", source.Inode is { } inode ? string.Create(null, $"{inode}") : null);
        if (source.Device is { } device)
        {
            Add(json, "model", device.Model);
            Add(json, "serial", device.Serial);
            Add(json, "firmware", device.Firmware);
            Add(json, "vendor", device.Vendor);
            Add(json, "wwid", device.Wwid);
            Add(json, "device", device.Number);
            Add(json, "partitionOf", device.PartitionOf);
            Add(json, "backingFile", device.BackingFile);
            Add(json, "mapper", device.MapperName);
            if (device.IsReadOnly is { } readOnly)
                json["readOnly"] = readOnly;
            if (device.HiddenSectors is { } hidden)
                json["hiddenSectors"] = Encode(hidden);
        }

        if (source.Usage is { } usage)
        {
            json["live"] = usage.IsLive;
            json["mounts"] = new JsonArray([.. usage.Mounts.Select(m => (JsonNode)m.MountPoint)]);
            json["holders"] = new JsonArray([.. usage.Holders.Select(h => (JsonNode)h)]);
            json["swaps"] = new JsonArray([.. usage.Swaps.Select(w => (JsonNode)w)]);
        }

        if (source.Nbd is { } nbd)
            json["nbd"] = Encode(nbd);
        if (source.Parts.Count > 0)
        {
            json["parts"] = new JsonArray([.. source.Parts.Select(p =>
            {
                var part = new JsonObject { ["name"] = Path.GetFileName(p.Path), ["size"] = DecimalText.Format(p.Length) };
                Add(part, "sha256", p.Sha256);
                return part;
            })]);
        }

        return json;
    }

    /// <summary>A description with what the source's own bytes say of encryption.</summary>
    internal static JsonObject With(JsonObject description, EncryptionSearch encryption)
    {
        var json = (JsonObject)description.DeepClone();
        json["encryption"] = new JsonArray([.. encryption.Signs.Select(s =>
            new JsonObject { ["scheme"] = NameOf(s.Scheme), ["offset"] = DecimalText.Format(s.Offset) })]);
        if (encryption.Unsearched.Count > 0)
        {
            json["encryptionNotLookedAt"] = new JsonArray([.. encryption.Unsearched.Select(p =>
                new JsonObject { ["offset"] = DecimalText.Format(p.Offset), ["reason"] = p.Reason })]);
        }

        return json;
    }

    private static JsonObject Encode(HiddenSectors hidden)
    {
        var json = new JsonObject();
        Add(json, "declared", hidden.Declared);
        Add(json, "native", hidden.Native);
        Add(json, "hpa", hidden.HostProtectedArea);
        Add(json, "dco", hidden.ConfigurationOverlay);
        Add(json, "namespaceCapacity", hidden.NamespaceCapacity);
        Add(json, "deviceCapacity", hidden.DeviceCapacity);
        Add(json, "unallocated", hidden.Unallocated);
        Add(json, "notTold", hidden.NotTold);
        return json;
    }

    /// <summary>What people are likely to call a source: the last part of its name.</summary>
    internal static string DefaultItem(SourceIdentity source) => source switch
    {
        { Nbd: { Export.Length: > 0 } nbd } => Path.GetFileName(nbd.Export.TrimEnd('/')),
        { Nbd: { } nbd } => Path.GetFileName(nbd.Server),
        { Kind: SourceKind.Stream } => Path.GetFileName(source.Name).Replace(' ', '-'),
        _ => Path.GetFileName(source.Name),
    };

    private static JsonObject Encode(NbdIdentity nbd)
    {
        var json = new JsonObject { ["server"] = nbd.Server, ["export"] = nbd.Export };
        Add(json, "name", nbd.CanonicalName);
        Add(json, "description", nbd.Description);
        if (nbd.BlockSizes is { } sizes)
            json["blockSizes"] = new JsonObject { ["minimum"] = sizes.Minimum, ["preferred"] = sizes.Preferred, ["maximum"] = sizes.Maximum };
        json["readOnly"] = nbd.IsReadOnly;
        json["structuredReplies"] = nbd.HasStructuredReplies;
        json["tellsHoles"] = nbd.TellsHoles;
        json["tls"] = nbd.Tls is { } tls
            ? new JsonObject { ["protocol"] = tls.Protocol, ["certificate"] = $"sha256:{tls.Certificate}", ["verified"] = tls.IsVerified }
            : null;
        return json;
    }

    private static string KindOf(SourceKind kind) => kind switch
    {
        SourceKind.File => "file",
        SourceKind.SplitFiles => "split",
        SourceKind.BlockDevice => "device",
        SourceKind.Stream => "stream",
        SourceKind.Ewf => "ewf",
        SourceKind.Nbd => "nbd",
        SourceKind.VirtualDisk => "virtual-disk",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string NameOf(EncryptionScheme scheme) => scheme switch
    {
        EncryptionScheme.Luks1 => "luks1",
        EncryptionScheme.Luks2 => "luks2",
        EncryptionScheme.BitLocker => "bitlocker",
        EncryptionScheme.BitLockerToGo => "bitlocker-to-go",
        EncryptionScheme.CoreStorage => "filevault-corestorage",
        EncryptionScheme.Apfs => "apfs",
        _ => throw new ArgumentOutOfRangeException(nameof(scheme)),
    };

    /// <summary>A size in bytes.</summary>
    private static void Add(JsonObject json, string name, long? value)
    {
        if (value is { } bytes)
            json[name] = DecimalText.Format(bytes);
    }

    private static void Add(JsonObject json, string name, int? value)
    {
        if (value is { } number)
            json[name] = number;
    }

    private static void Add(JsonObject json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json[name] = value;
    }
}
