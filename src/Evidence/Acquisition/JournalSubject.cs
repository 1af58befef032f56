using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Sources;

namespace Evidence.Acquisition;

/// <summary>What an interrupted acquisition must have in common with a new one to be gone on with: the first line of its journal.</summary>
internal static class JournalSubject
{
    /// <summary>Describes an acquisition by what does not change when a machine is started anew.</summary>
    internal static JsonObject Encode(SourceIdentity source, string item, AcquisitionOptions options) => new()
    {
        ["format"] = "evidence-acquisition",
        ["version"] = 2,
        ["source"] = new JsonObject
        {
            ["kind"] = source.Kind.ToString(),
            ["name"] = source.Name,
            ["size"] = DecimalText.Format(source.Length ?? 0),
            ["sectorSize"] = source.LogicalSectorSize,
            ["modified"] = source.Modified is { } modified ? Timestamps.Format(modified) : null,
            ["inode"] = source.Inode is { } inode ? string.Create(null, $"{inode}") : null,
            ["serial"] = source.Device?.Serial,
            ["model"] = source.Device?.Model,
            ["wwid"] = source.Device?.Wwid,
            ["backingFile"] = source.Device?.BackingFile,
        },
        ["item"] = item,
        ["case"] = options.Case,
        ["holes"] = options.ReadHoles ? "read" : "recorded",
        ["mapfile"] = options.Mapfile is { } mapfile ? DigestOf(mapfile) : null,
        ["continues"] = options.Continues?.ToString(),
    };

    private static string DigestOf(RescueMap mapfile)
    {
        using var text = new StringWriter();
        Mapfile.Write(mapfile, text);
        return Sha256Digest.Compute(Encoding.UTF8.GetBytes(text.ToString())).ToString();
    }

    /// <summary>The journal's name: of acquisitions with one of it, at most one is gone on with.</summary>
    internal static string KeyOf(JsonObject subject)
    {
        var key = new JsonObject
        {
            ["name"] = subject["source"]!["name"]!.GetValue<string>(),
            ["item"] = subject["item"]!.GetValue<string>(),
            ["case"] = subject["case"]?.GetValue<string>(),
        };
        return Sha256Digest.Compute(CanonicalJson.Serialize(key)).ToString()[..32];
    }
}
