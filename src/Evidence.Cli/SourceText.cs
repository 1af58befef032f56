using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>What a manifest says of its source that somebody must not overlook.</summary>
internal static class SourceText
{
    /// <summary>Whether the source was in use while it was read; null where the manifest does not say.</summary>
    internal static bool? IsLive(ImageManifest manifest) => Flag(manifest.Source, "live");

    /// <summary>What the examiner stated, and how good the clock was.</summary>
    internal static void PrintStatements(TextWriter text, ImageManifest manifest)
    {
        if (manifest.WriteBlocker is not null)
            text.WriteLine($"  blocker    {manifest.WriteBlocker} (stated)");
        if (manifest.Seal is not null)
            text.WriteLine($"  seal       {manifest.Seal} (stated)");
        if (manifest.Clock is { } clock)
        {
            text.WriteLine(clock.IsSynchronised
                ? $"  clock      synchronised, wrong by at most {clock.MaximumError} microseconds as the system says"
                : "  clock      NOT synchronised to any other");
        }
    }

    /// <summary>Warnings and notes on the source, one a line.</summary>
    internal static void PrintNotes(TextWriter text, ImageManifest manifest)
    {
        JsonObject source = manifest.Source;
        if (IsLive(manifest) == true)
            text.WriteLine("  WARNING    live: the source was in use (mounted, held or swapped to) while it was read: the image is of no single moment");
        if (Flag(source, "readOnly") == false)
            text.WriteLine("  note       the device was not write-protected; evidence itself opens sources read-only");
        foreach (JsonObject sign in Objects(source, "encryption"))
            text.WriteLine($"  note       a sign of encryption at offset {Text(sign, "offset")}: {Text(sign, "scheme")}");
        foreach (JsonObject place in Objects(source, "encryptionNotLookedAt"))
            text.WriteLine($"  note       not looked at for signs of encryption, from offset {Text(place, "offset")}: {Text(place, "reason")}");
        if (source["hiddenSectors"] is JsonObject hidden)
            PrintHidden(text, hidden);
    }

    private static void PrintHidden(TextWriter text, JsonObject hidden)
    {
        long declared = Bytes(hidden, "declared") ?? 0;
        foreach ((string name, string words) in (ReadOnlySpan<(string, string)>)[
            ("hpa", "hidden by a Host Protected Area (HPA), and not in the image"),
            ("dco", "hidden by a Device Configuration Overlay (DCO), and not in the image"),
            ("unallocated", "of the drive are in no NVMe namespace, and not in the image")])
        {
            if (Bytes(hidden, name) is > 0 and long bytes)
                text.WriteLine($"  WARNING    {Units.Exact(bytes)} {words}");
        }

        if (Bytes(hidden, "deviceCapacity") is { } whole && whole - (Bytes(hidden, "unallocated") ?? 0) > declared)
            text.WriteLine($"  note       the drive has more namespaces than this one: {Units.Exact(whole)} in all");
        if (Text(hidden, "notTold") is { } reason)
            text.WriteLine($"  note       hidden sectors: not told by the device. {reason}");
    }

    private static bool? Flag(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static long? Bytes(JsonObject json, string name) => DecimalText.TryParse(Text(json, name), out long bytes) ? bytes : null;

    private static IEnumerable<JsonObject> Objects(JsonObject json, string name) => json[name] is JsonArray array ? array.OfType<JsonObject>() : [];
}
